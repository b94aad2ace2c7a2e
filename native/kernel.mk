# The kernels alone, without Postgres: make -f kernel.mk
CFLAGS = -O3 -std=gnu11 -fno-math-errno -fPIC -Wall -Wextra
KERNEL = $(wildcard src/kernel*.c) src/layout.c

kernel.so: $(KERNEL) src/bench.c $(wildcard src/*.h)
	$(CC) $(CFLAGS) -shared -o $@ $(KERNEL) src/bench.c -lm

# Their fuzzer, see test/fuzz.c; SANITIZE= builds it where there are no sanitizers
SANITIZE = -fsanitize=address,undefined -fno-sanitize-recover=all
FUZZ_CFLAGS = -g -O1 -std=gnu11 -fno-math-errno -Wall -Wextra -Isrc

.PHONY: fuzz fuzz-libfuzzer
fuzz: build/fuzz
fuzz-libfuzzer: build/fuzz-libfuzzer

build/fuzz: $(KERNEL) test/fuzz.c $(wildcard src/*.h)
	@mkdir -p build
	$(CC) $(FUZZ_CFLAGS) $(SANITIZE) -DSTANDALONE -o $@ $(KERNEL) test/fuzz.c -lm

build/fuzz-libfuzzer: $(KERNEL) test/fuzz.c $(wildcard src/*.h)
	@mkdir -p build
	clang $(FUZZ_CFLAGS) $(SANITIZE) -fsanitize=fuzzer -o $@ $(KERNEL) test/fuzz.c -lm
