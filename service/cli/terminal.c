/* What the terminal can show, and the two streams. */
#include "cli_priv.h"

#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static unsigned terminal_width(void)
{
    struct winsize size = {0};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 40)
        return size.ws_col > 120 ? 120 : size.ws_col;
    return 0;
}

ipt_explain_style ipt_terminal_style(const ipt_options *options)
{
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    bool terminal = isatty(STDOUT_FILENO) == 1, dumb = term != NULL && strcmp(term, "dumb") == 0;
    ipt_explain_style style = {0};

    style.colour = terminal && !dumb && (no_colour == NULL || no_colour[0] == '\0'); /* no-color.org */
    style.unicode = terminal && !dumb && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (options->colour != IPT_WHEN_AUTO)
        style.colour = options->colour == IPT_WHEN_ALWAYS;
    if (options->unicode != IPT_WHEN_AUTO)
        style.unicode = options->unicode == IPT_WHEN_ALWAYS;
    style.width = terminal ? terminal_width() : 0;
    return style;
}

void ipt_complain(const char *format, ...)
{
    va_list args;

    fputs("iptrust: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
}

bool ipt_print(ipt_span text)
{
    if (text.n == 0 || fwrite(text.p, 1, text.n, stdout) == text.n)
        return true;
    ipt_complain("cannot write the answer");
    return false;
}
