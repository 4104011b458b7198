#include <stdio.h>

int relay_a(void);

int main(int count, char **words)
{
    printf("%d %s\n", relay_a(), count > 1 ? words[1] : "");
    return 7;
}
