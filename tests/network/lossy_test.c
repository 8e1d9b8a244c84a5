#include "tests/network/network.h"
int main(void)
{
    return 0;
}
