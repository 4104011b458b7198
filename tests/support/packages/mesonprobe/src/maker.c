#include <stdio.h>

int main(void)
{
    puts("#define MADE 1");
    return 0;
}
