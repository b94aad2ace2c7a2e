/* The SQL functions maxsim() and maxsim_pairs(). */
#include "postgres.h"

#include <math.h>

#include "fmgr.h"
#include "funcapi.h"
#include "kernel.h"
#include "miscadmin.h"
#include "nodes/primnodes.h"
#include "tokens.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

PG_MODULE_MAGIC;

void		_PG_init(void);

/* Products of two numbers between two looks for an interrupt: some tens of milliseconds */
#define PRODUCTS ((int64) 1 << 28)

static const Element query_element[FORM_COUNT] = {ELEMENT_HALFVEC, ELEMENT_VECTOR, ELEMENT_BIT, ELEMENT_HALFVEC};
static const Element document_element[FORM_COUNT] = {ELEMENT_HALFVEC, ELEMENT_VECTOR, ELEMENT_BIT, ELEMENT_BIT};

/* What a call keeps for the next one of the same statement, in fn_extra. */
typedef struct State
{
	MemoryContext context;		/* of the query below */
	Size		key_size;
	void	   *key;			/* the argument that it was made of, as it was passed */
	bool		constant;		/* that argument cannot change */
	int			count;			/* query tokens; with 0 there is no query */
	Prepared		query;
	int			block;			/* document tokens between two looks for an interrupt */
	bool		mixed;			/* the query's tokens differ in their dimensions, an error once there is a document */
	LayoutProblem problem;
	int			dims;
	const Kernel *kernel;
	Room		document;
} State;

#define SIMD_NAMES "auto, avx512, avx2, neondot, neon and plain"

/* As it was set, "auto" or the name of a kernel */
static char *simd_setting;

/* In _PG_init() the setting takes what was set before: refused there, it would be a warning, and auto in its place */
static bool loading;

static bool
is_auto(const char *setting)
{
	return pg_strcasecmp(setting, "auto") == 0;
}

/* The reason why a setting cannot be used here, or NULL */
static const char *
simd_problem(const char *setting)
{
	static const char *const names[] = {"avx512", "avx2", "neondot", "neon", "plain"};
	const Kernel *kernel = kernel_find(setting);

	if (is_auto(setting) || (kernel != NULL && kernel->supported()))
		return NULL;
	for (int i = 0; i < (int) lengthof(names); i++)
		if (pg_strcasecmp(setting, names[i]) == 0)
			return psprintf("This processor does not have %s.", names[i]);
	return "It may be " SIMD_NAMES ".";
}

/*
 * SET is refused at once. What comes from a file, a database or a role is refused when it is used: refused here, the
 * server would only warn and go on without it.
 */
static bool
check_simd(char **newval, void **extra, GucSource source)
{
	const char *problem;

	if (loading || source < PGC_S_INTERACTIVE)
		return true;
	problem = simd_problem(*newval);
	if (problem != NULL)
		GUC_check_errdetail("%s", problem);
	return problem == NULL;
}

static const Kernel *
current_kernel(void)
{
	const char *problem = simd_problem(simd_setting);

	if (problem != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("pgencoder_native.simd is \"%s\", which cannot be used", simd_setting),
				 errdetail("%s", problem),
				 errhint("SET pgencoder_native.simd = auto, or change it where it is set: postgresql.conf, ALTER"
						 " DATABASE or ALTER ROLE.")));
	return is_auto(simd_setting) ? kernel_best() : kernel_find(simd_setting);
}

void
_PG_init(void)
{
	loading = true;
	DefineCustomStringVariable("pgencoder_native.simd",
							   "Instructions that MaxSim uses; auto takes the best that the processor has.",
							   "It may be " SIMD_NAMES ".",
							   &simd_setting, "auto", PGC_USERSET, 0, check_simd, NULL, NULL);
	loading = false;
	MarkGUCPrefixReserved("pgencoder_native");
}

static void
different(Form form, int document, int query)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_EXCEPTION),
			 errmsg("different %s %d and %d", form == FORM_BIT ? "bit lengths"
					: form == FORM_FLOAT ? "vector dimensions" : form == FORM_HALF ? "halfvec dimensions"
					: "token dimensions", document, query)));
}

/* Forget a prepared query and lay out another, which `array` holds */
static void
prepare(State *state, Form form, struct varlena *key, ArrayType *array)
{
	Element		element = query_element[form];
	int			count = array_count(array, element);
	MemoryContext before;
	Tokens		tokens;
	int64		products;

	state->key = NULL;
	MemoryContextReset(state->context);
	array_check_nulls(array, count, "query");
	before = MemoryContextSwitchTo(state->context);
	state->kernel = current_kernel();
	state->mixed = false;
	state->count = count;
	if (count > 0)
	{
		state->mixed = array_tokens(array, element, count, &tokens, &state->problem) == LAYOUT_MIXED;
		state->dims = tokens.dims;
		if (!state->mixed && state->dims > 0)
		{
			query_init(&state->query, form, palloc(query_size(form, count, tokens.dims)), &tokens);
			products = PRODUCTS / ((int64) state->query.lanes * state->dims);
			state->block = (int) Max(TILE, Min(products, INT_MAX - TILE) / TILE * TILE);
		}
	}
	state->key_size = VARSIZE_ANY(key);
	state->key = memcpy(palloc(state->key_size), key, state->key_size);
	MemoryContextSwitchTo(before);
}

/* True if the query is a constant of the plan, as a parameter of a planned statement is */
static bool
is_constant(FunctionCallInfo fcinfo)
{
	Node	   *call = fcinfo->flinfo->fn_expr;

	return call != NULL && IsA(call, FuncExpr) && IsA(linitial(((FuncExpr *) call)->args), Const);
}

/*
 * The state of this call's statement, with the query prepared
 *
 * The bytes of the query are compared with those of the previous call, because an expression in PL/pgSQL keeps its
 * state while its variables change.
 */
static State *
begin(FunctionCallInfo fcinfo, Form form)
{
	State	   *state = fcinfo->flinfo->fn_extra;
	struct varlena *key = (struct varlena *) PG_GETARG_POINTER(0);
	ArrayType  *array = NULL;

	if (state == NULL)
	{
		state = MemoryContextAllocZero(fcinfo->flinfo->fn_mcxt, sizeof(State));
		state->context = AllocSetContextCreate(fcinfo->flinfo->fn_mcxt, "pgencoder_native query",
											   ALLOCSET_DEFAULT_SIZES);
		state->document.context = fcinfo->flinfo->fn_mcxt;
		state->constant = is_constant(fcinfo);
		fcinfo->flinfo->fn_extra = state;
	}
	if (state->key != NULL && state->constant)
		return state;
	/* these are pointers to memory, whose bytes say nothing about the value */
	if (VARATT_IS_EXTERNAL(key) && !VARATT_IS_EXTERNAL_ONDISK(key))
		key = (struct varlena *) (array = DatumGetArrayTypePCopy(PG_GETARG_DATUM(0)));
	if (state->key == NULL || state->key_size != VARSIZE_ANY(key)
		|| memcmp(state->key, key, state->key_size) != 0)
	{
		if (array == NULL)
			array = DatumGetArrayTypeP(PG_GETARG_DATUM(0));
		prepare(state, form, key, array);
	}
	if (array != NULL && (void *) array != (void *) PG_GETARG_POINTER(0))
		pfree(array);
	return state;
}

/* The document's tokens; false where there is none on one of the sides */
static bool
document_tokens(State *state, Form form, ArrayType *array, Tokens *tokens)
{
	Element		element = document_element[form];
	LayoutProblem problem;
	int			count;

	if (state->count == 0)
		return false;
	count = array_count(array, element);
	if (count == 0 && state->dims > 0)
		return false;
	array_check_nulls(array, count, "document");
	/* as the SQL kernel: a token of the document, then the first of the query that differs from it */
	if (count > 0)
	{
		LayoutError error = array_tokens(array, element, count, tokens, &problem);

		if (tokens->dims != state->dims)
			different(form, tokens->dims, state->dims);
		if (error == LAYOUT_MIXED)
			different(form, problem.dims, state->dims);
		if (state->mixed)
			different(form, tokens->dims, state->problem.dims);
	}
	if (state->dims == 0)
		ereport(ERROR,
				(errcode(ERRCODE_DATA_EXCEPTION),
				 errmsg("query tokens have 0 dimensions")));
	return true;
}

static void
release(ArrayType *array, Datum datum, const State *state)
{
	if ((void *) array != state->document.data && (void *) array != (void *) DatumGetPointer(datum))
		pfree(array);
}

static Datum
maxsim(FunctionCallInfo fcinfo, Form form)
{
	State	   *state = begin(fcinfo, form);
	ArrayType  *array = array_fetch(PG_GETARG_DATUM(1), &state->document);
	const Prepared *query = &state->query;
	Tokens		tokens;

	if (!document_tokens(state, form, array, &tokens))
	{
		release(array, PG_GETARG_DATUM(1), state);
		PG_RETURN_NULL();
	}
	query_start(query);
	for (int at = 0; at < tokens.count; at += state->block)
	{
		CHECK_FOR_INTERRUPTS();
		state->kernel->scan[form] (query, tokens.data + at * tokens.stride + TOKEN_HEADER, tokens.stride,
								   Min(state->block, tokens.count - at));
	}
	release(array, PG_GETARG_DATUM(1), state);
	PG_RETURN_FLOAT8(query_score(query));
}

static Datum
maxsim_pairs(FunctionCallInfo fcinfo, Form form)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	State	   *state;
	ArrayType  *array;
	Tokens		tokens;
	int		   *best;
	double	   *similarity;

	InitMaterializedSRF(fcinfo, 0);
	state = begin(fcinfo, form);
	array = array_fetch(PG_GETARG_DATUM(1), &state->document);
	if (!document_tokens(state, form, array, &tokens))
		return (Datum) 0;
	best = palloc0(sizeof(int) * state->count);
	similarity = palloc(sizeof(double) * state->count);
	for (int i = 0; i < state->count; i++)
		similarity[i] = NAN;
	for (int j = 0; j < tokens.count; j++)
	{
		CHECK_FOR_INTERRUPTS();
		query_start(&state->query);
		state->kernel->scan[form] (&state->query, tokens.data + j * tokens.stride + TOKEN_HEADER, tokens.stride, 1);
		for (int i = 0; i < state->count; i++)
			if (query_better(&state->query, i, &similarity[i]))
				best[i] = j;
	}
	for (int i = 0; i < state->count; i++)
	{
		Datum		values[] = {Int32GetDatum(i + 1), Int32GetDatum(best[i] + 1), Float8GetDatum(similarity[i])};
		bool		nulls[] = {false, false, false};

		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	release(array, PG_GETARG_DATUM(1), state);
	return (Datum) 0;
}

#define FUNCTIONS(name, form) \
	PG_FUNCTION_INFO_V1(maxsim_##name); \
	Datum maxsim_##name(PG_FUNCTION_ARGS) \
	{ \
		return maxsim(fcinfo, form); \
	} \
	PG_FUNCTION_INFO_V1(maxsim_pairs_##name); \
	Datum maxsim_pairs_##name(PG_FUNCTION_ARGS) \
	{ \
		return maxsim_pairs(fcinfo, form); \
	}

FUNCTIONS(halfvec, FORM_HALF)
FUNCTIONS(vector, FORM_FLOAT)
FUNCTIONS(bit, FORM_BIT)
FUNCTIONS(halfvec_bit, FORM_SIGN)

PG_FUNCTION_INFO_V1(simd);
Datum
simd(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(current_kernel()->name));
}
