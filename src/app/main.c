/* Starts the program. */
#include <stdio.h>

int main(void)
{
    return puts("merlon " MERLON_VERSION) < 0;
}
