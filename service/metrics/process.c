/* process_*: read from /proc at each scrape, under the names that every Prometheus client library uses. */
#include "iptrust/metrics/expo.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void gauge(ipt_expo *expo, const char *name, const char *help, double value)
{
    ipt_expo_family(expo, name, IPT_EXPO_GAUGE, help);
    ipt_expo_sample(expo, NULL, 0, value);
}

/* proc(5): field 22 of stat is the start in clock ticks after boot, 23 the virtual size in bytes, 24 resident pages.
 * The name in field 2 may hold anything, so fields count from its last closing bracket. */
static bool read_stat(uint64_t *start_ticks, uint64_t *virtual_bytes, uint64_t *resident_pages)
{
    char text[1024];
    FILE *file = fopen("/proc/self/stat", "re");
    if (file == NULL)
        return false;
    size_t n = fread(text, 1, sizeof(text) - 1, file);
    (void)fclose(file);
    text[n] = '\0';
    char *at = strrchr(text, ')');
    for (int field = 2; field < 22 && at != NULL; field++)
        at = strchr(at + 1, ' ');
    if (at == NULL)
        return false;
    return sscanf(at, " %" SCNu64 " %" SCNu64 " %" SCNu64, start_ticks, virtual_bytes, resident_pages) == 3;
}

static double boot_time(void)
{
    struct timespec wall, boot;
    if (clock_gettime(CLOCK_REALTIME, &wall) != 0 || clock_gettime(CLOCK_BOOTTIME, &boot) != 0)
        return 0;
    return (double)(wall.tv_sec - boot.tv_sec) + (double)(wall.tv_nsec - boot.tv_nsec) / 1e9;
}

static size_t open_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    if (dir == NULL)
        return 0;
    size_t n = 0;
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        n += e->d_name[0] != '.';
    (void)closedir(dir);
    return n == 0 ? 0 : n - 1; /* without the one that reads the directory */
}

void ipt_expo_process(ipt_expo *expo)
{
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        double seconds = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
        ipt_expo_family(expo, "process_cpu_seconds", IPT_EXPO_COUNTER, "User and system CPU time spent in seconds.");
        ipt_expo_sample(expo, NULL, 0, seconds);
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        gauge(expo, "process_max_fds", "Maximum number of open file descriptors.", (double)limit.rlim_cur);
    gauge(expo, "process_open_fds", "Number of open file descriptors.", (double)open_fds());
    uint64_t start, virtual_bytes, resident;
    if (!read_stat(&start, &virtual_bytes, &resident))
        return;
    double page = (double)sysconf(_SC_PAGESIZE), ticks = (double)sysconf(_SC_CLK_TCK);
    gauge(expo, "process_resident_memory_bytes", "Resident memory size in bytes.", (double)resident * page);
    gauge(expo, "process_virtual_memory_bytes", "Virtual memory size in bytes.", (double)virtual_bytes);
    gauge(expo, "process_start_time_seconds", "Start time of the process since unix epoch in seconds.",
          boot_time() + (double)start / ticks);
}
