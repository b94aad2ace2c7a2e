#include "tokens.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/toast_internals.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* The element type's name in SQL */
const char *
element_name(Element element)
{
	switch (element)
	{
		case ELEMENT_HALFVEC:
			return "halfvec";
		case ELEMENT_VECTOR:
			return "vector";
		case ELEMENT_BIT:
			return "bit";
	}
	pg_unreachable();
}

/*
 * A toasted value that was stored uncompressed, read into the buffer
 *
 * Like detoast_attr(), but the memory is used again: a document of halfvec tokens has some 200 kB, and malloc() would
 * ask the operating system for them each time.
 */
static ArrayType *
fetch_external(struct varlena *value, Room *buffer)
{
	struct varatt_external pointer;
	Relation	toast;
	int32		size;
	struct varlena *result;

	VARATT_EXTERNAL_GET_POINTER(pointer, value);
	size = VARATT_EXTERNAL_GET_EXTSIZE(pointer);
	if (buffer->size < (Size) size + VARHDRSZ)
	{
		/* palloc refuses what is too large */
		Size		room = Max((Size) size + VARHDRSZ, Min(2 * buffer->size, MaxAllocSize));

		if (buffer->data != NULL)
			pfree(buffer->data);
		buffer->data = NULL;
		buffer->size = 0;
		buffer->data = MemoryContextAlloc(buffer->context, room);
		buffer->size = room;
	}
	result = buffer->data;
	SET_VARSIZE(result, size + VARHDRSZ);
	if (size > 0)
	{
		toast = table_open(pointer.va_toastrelid, AccessShareLock);
		table_relation_fetch_toast_slice(toast, pointer.va_valueid, size, 0, size, result);
		table_close(toast, AccessShareLock);
	}
	return (ArrayType *) result;
}

/* The array in a datum: read into the buffer, copied by Postgres, or left in place, as its storage requires */
ArrayType *
array_fetch(Datum datum, Room *buffer)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(datum);

	if (VARATT_IS_EXTERNAL_ONDISK(value))
	{
		struct varatt_external pointer;

		VARATT_EXTERNAL_GET_POINTER(pointer, value);
		if (!VARATT_EXTERNAL_IS_COMPRESSED(pointer))
			return fetch_external(value, buffer);
	}
	return DatumGetArrayTypeP(datum);
}

/* Name of the element type that the array has, to compare with what it should have: pgvector's oids are not fixed */
static bool
is_element(Oid type, Element element)
{
	HeapTuple	tuple;
	bool		same;

	if (element == ELEMENT_BIT)
		return type == BITOID;
	tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	if (!HeapTupleIsValid(tuple))
		return false;
	same = strcmp(NameStr(((Form_pg_type) GETSTRUCT(tuple))->typname), element_name(element)) == 0;
	ReleaseSysCache(tuple);
	return same;
}

static void
corrupt(const char *what)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("array of tokens is damaged: %s", what)));
}

/* The number of tokens, of all dimensions of the array together; an error if it cannot be an array of such tokens */
int
array_count(ArrayType *array, Element element)
{
	Size		size = VARSIZE(array);
	Size		overhead;
	int			count;

	if (size < sizeof(ArrayType) || ARR_NDIM(array) < 0 || ARR_NDIM(array) > MAXDIM)
		corrupt("its header");
	if (!is_element(ARR_ELEMTYPE(array), element))
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("expected an array of %s, got an array of %s", element_name(element),
						format_type_be(ARR_ELEMTYPE(array)))));
	overhead = ARR_OVERHEAD_NONULLS(ARR_NDIM(array));
	if (overhead > size)
		corrupt("its dimensions");
	count = ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array));
	if (ARR_HASNULL(array))
		overhead = ARR_OVERHEAD_WITHNULLS(ARR_NDIM(array), count);
	if ((Size) ARR_DATA_OFFSET(array) < overhead || (Size) ARR_DATA_OFFSET(array) > size)
		corrupt("the offset of its data");
	return count;
}

/* An error for the first NULL */
void
array_check_nulls(ArrayType *array, int count, const char *side)
{
	bits8	   *bitmap = ARR_NULLBITMAP(array);

	if (bitmap == NULL)
		return;
	for (int i = 0; i < count; i++)
		if ((bitmap[i / 8] & (1 << (i % 8))) == 0)
			ereport(ERROR,
					(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
					 errmsg("%s token %d is NULL", side, i + 1)));
}

/* The tokens of an array without NULL, or which one differs from those before */
LayoutError
array_tokens(ArrayType *array, Element element, int count, Tokens *tokens, LayoutProblem *problem)
{
	LayoutError error = layout_read(element, (const uint8_t *) ARR_DATA_PTR(array),
									VARSIZE(array) - ARR_DATA_OFFSET(array), count, tokens, problem);

	if (error == LAYOUT_CORRUPT)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("array of tokens is damaged: token %d is no %s", problem->token + 1, element_name(element))));
	return error;
}
