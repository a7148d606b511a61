/* The program that picket-agent-load starts again and again: it ends at once, so that what is measured is the watching. */
#include <unistd.h>

void _start(void) { _exit(0); }
