/* Switches back to pure SQL when the extension is dropped. */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "parser/parse_func.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/syscache.h"

static bool
drops_us(Node *parsetree)
{
	DropStmt   *drop = (DropStmt *) parsetree;
	ListCell   *cell;

	if (!IsA(parsetree, DropStmt) || drop->removeType != OBJECT_EXTENSION)
		return false;
	foreach(cell, drop->objects)
		if (strcmp(strVal(lfirst(cell)), "pgencoder_native") == 0)
			return true;
	return false;
}

static Oid
owner_of(Oid function)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	return owner;
}

PG_FUNCTION_INFO_V1(before_drop);

/*
 * Call pgencoder.use_kernel('sql') when DROP EXTENSION pgencoder_native begins
 *
 * The call runs as the owner of that function, and as a restricted operation: the superuser who drops the extension
 * must not run another role's code with a superuser's rights.
 */
Datum
before_drop(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = (EventTriggerData *) fcinfo->context;
	Oid			arguments[] = {TEXTOID};
	Oid			function;
	Oid			user;
	int			security;
	int			level;

	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("before_drop() is an event trigger's function")));
	if (!drops_us(data->parsetree))
		PG_RETURN_NULL();
	function = LookupFuncName(list_make2(makeString("pgencoder"), makeString("use_kernel")), 1, arguments, true);
	if (!OidIsValid(function))
		PG_RETURN_NULL();
	GetUserIdAndSecContext(&user, &security);
	SetUserIdAndSecContext(owner_of(function),
						   security | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
	/* its settings end with the call */
	level = NewGUCNestLevel();
	set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
	OidFunctionCall1(function, CStringGetTextDatum("sql"));
	AtEOXact_GUC(false, level);
	SetUserIdAndSecContext(user, security);
	PG_RETURN_NULL();
}
