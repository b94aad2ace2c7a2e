/* The kernel alone, for a caller outside the server: benchmarks and tests. */
#include "kernel.h"

#include <math.h>
#include <stdlib.h>

typedef struct Document
{
	const uint8_t *data;		/* the array's data: tokens with their headers */
	size_t		size;
	int			count;
} Document;

/*
 * Scores of documents for one query; NaN for a document without tokens
 *
 * The query is prepared once and each document's layout is checked, as in the server. Returns 0, or 1 if the name is
 * no kernel that runs here, 2 if a layout is damaged or dimensions differ, 3 without memory.
 */
int
kernel_scores(const char *name, int form, const Document *query, const Document *documents, int n, double *scores)
{
	const Kernel *kernel = name == NULL ? kernel_best() : kernel_find(name);
	Element		query_element = form == FORM_BIT ? ELEMENT_BIT : form == FORM_FLOAT ? ELEMENT_VECTOR : ELEMENT_HALFVEC;
	Element		element = form == FORM_SIGN ? ELEMENT_BIT : query_element;
	Tokens		tokens;
	LayoutProblem problem;
	Prepared	prepared;
	void	   *memory;
	int			status = 0;

	if (kernel == NULL || !kernel->supported())
		return 1;
	if (layout_read(query_element, query->data, query->size, query->count, &tokens, &problem) != LAYOUT_OK)
		return 2;
	memory = malloc(query_size(form, tokens.count, tokens.dims));
	if (memory == NULL)
		return 3;
	query_init(&prepared, form, memory, &tokens);
	for (int i = 0; i < n && status == 0; i++)
	{
		scores[i] = NAN;
		if (documents[i].count == 0)
			continue;
		if (layout_read(element, documents[i].data, documents[i].size, documents[i].count, &tokens, &problem) != LAYOUT_OK
			|| tokens.dims != prepared.dims)
		{
			status = 2;
			break;
		}
		query_start(&prepared);
		kernel->scan[form] (&prepared, tokens.data + TOKEN_HEADER, tokens.stride, tokens.count);
		scores[i] = query_score(&prepared);
	}
	free(memory);
	return status;
}
