int relay_b(void);

int plugin(void)
{
    return 1000 + relay_b();
}
