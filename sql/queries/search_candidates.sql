SELECT {keys}, {columns}, recall_rank, {shown} FROM recall
