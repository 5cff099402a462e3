/* The program `iptrust`. */
#include "cli_priv.h"

int main(int argc, char **argv)
{
    return (int)ipt_main(argc, argv);
}
