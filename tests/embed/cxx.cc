// iptrust.h as a C++ program sees it: compiles, links by C names.
#include <cstdio>

#include <iptrust/iptrust.h>

int main()
{
    ipt_addr addr = {};
    if (!ipt_addr_parse(ipt_span_from("8.8.8.8"), &addr, nullptr))
        return 1;
    std::printf("%s\n", ipt_class_name(ipt_addr_class(addr)));
}
