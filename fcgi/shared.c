#include "fcgi/shared.h"

#include <stdlib.h>
#include <sys/mman.h>

void *shared_new(size_t n)
{
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

void shared_free(void *p, size_t n)
{
	if (p)
		(void)munmap(p, n);
}
