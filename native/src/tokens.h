/* The tokens in an array, as SQL passes it. */
#ifndef PGENCODER_TOKENS_H
#define PGENCODER_TOKENS_H

#include "postgres.h"

#include "kernel.h"
#include "utils/array.h"

/* Hidden, because other libraries in the same server may use the same names */
#pragma GCC visibility push(hidden)

/* Memory that holds one detoasted value after another. */
typedef struct Room
{
	MemoryContext context;
	void	   *data;
	Size		size;
} Room;

extern const char *element_name(Element element);
extern ArrayType *array_fetch(Datum datum, Room *buffer);
extern int	array_count(ArrayType *array, Element element);
extern void array_check_nulls(ArrayType *array, int count, const char *side);
extern LayoutError array_tokens(ArrayType *array, Element element, int count, Tokens *tokens, LayoutProblem *problem);

#pragma GCC visibility pop

#endif
