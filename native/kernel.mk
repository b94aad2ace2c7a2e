# The kernels alone, without Postgres: make -f kernel.mk
CFLAGS = -O3 -std=gnu11 -fno-math-errno -fPIC -Wall -Wextra
KERNEL = $(wildcard src/kernel*.c) src/layout.c

kernel.so: $(KERNEL) src/bench.c src/kernel.h src/half.h
	$(CC) $(CFLAGS) -shared -o $@ $(KERNEL) src/bench.c -lm
