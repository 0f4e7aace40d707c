"""The guards of the cache: the code of each, what is left without it, and the tests that then fail.

The rows of the table "Guards and the tests that fail without them" in docs/caching-races.md.
"""

from __future__ import annotations

from tests.mutations import guards_of_work
from tests.mutations.edits import REAL, UNIT, Guard, edit, guard

NOTHING_TO_SPARE = "test_a_page_is_shown_by_a_machine_without_a_thread_to_spare"

STAMPS = guard(
    "stamps are compared with the present versions",
    "lookup",
    'if None in versions or envelope.stamps != b"".join(versions):',
    "if None in versions:",
    f"{REAL}races.py::test_a_reader_that_stores_after_the_invalidation_is_not_believed",
)
READ_BEFORE = guard(
    "stamps are those of before the query",
    "answering",
    "widen(Kept(call, where, versions, compute_one(call, where.node.name)))",
    "widen(Kept(call, where, versions, compute_one(call, where.node.name))._replace("
    "versions=where.node.versions(where.tags) or versions))",
    f"{REAL}races.py::test_a_reader_that_stores_after_the_invalidation_is_not_believed",
)
WRITTEN = guard(
    "who has written stores nothing",
    "transactions",
    "SELECT pg_current_xact_id_if_assigned() IS NULL",
    "SELECT true",
    f"{REAL}races.py::test_c_the_writers_own_reads_leave_no_trace_after_a_rollback",
)
AUTOCOMMIT = guard(
    "also without autocommit",
    "transactions",
    "if connection.in_atomic_block or not connection.autocommit",
    "if connection.in_atomic_block",
    f"{UNIT}commits.py::test_without_autocommit_uncommitted_data_is_not_stored",
)
OWN_WRITES = guard(
    "what this transaction changed is computed",
    "answering",
    "if transactions.has_changed(call.tags) or is_elsewhere(call):",
    "if is_elsewhere(call):",
    f"{UNIT}transactions.py::test_the_writer_reads_its_own_write",
)
OWN_WRITES_OF_PAGES = guard(
    "also of whole pages",
    "pages",
    "if not why and transactions.changed_tags():",
    "if False:",
    f"{UNIT}pages.py::test_who_has_written_sees_his_own_writes_and_leaves_no_page",
)
AFTER_COMMIT = Guard(
    "new versions only after the commit",
    (
        edit(
            "invalidation",
            "        self.tags |= tags\n",
            "        self.tags |= tags\n        engine().bump(engine().tag_keys(tags))\n",
        ),
        edit(
            "invalidation",
            "missing = eng.bump(eng.tag_keys(outbox.named(self.tags)))",
            'missing = [] if self.noted else eng.bump(eng.tag_keys(["never"]))',
        ),
    ),
    (
        f"{UNIT}transactions.py::test_nothing_is_invalidated_before_the_commit",
        f"{REAL}races.py::test_b_who_reads_inside_the_writers_transaction_stores_the_old_value_in_vain",
    ),
)
FIRST_HOOK = guard(
    "the invalidation before other hooks",
    "invalidation",
    "connection.run_on_commit.insert(0, connection.run_on_commit.pop())",
    "pass",
    f"{UNIT}commits.py::test_who_asks_at_commit_is_answered_with_what_was_committed",
    f"{UNIT}commits.py::test_a_hook_that_fails_does_not_take_the_invalidation_along",
)
SNAPSHOTS = guard(
    "snapshots store nothing",
    "transactions",
    "\" AND current_setting('transaction_isolation') = 'read committed'\"",
    '""',
    f"{REAL}races.py::test_g_a_snapshot_from_before_the_change_stores_nothing",
)
MISSING = guard(
    "a version that is missing is a miss",
    "lookup",
    'if None in versions or envelope.stamps != b"".join(versions):',
    "if any(v not in (None, s) for v, s in zip(versions, envelope.versions)):",
    f"{REAL}races.py::test_e_what_the_server_forgets_is_a_miss",
)
NEVER_EQUAL = guard(
    "versions are never equal",
    "versions",
    'return number.to_bytes(VERSION_BYTES, "big")',
    'return b"the same"',
    f"{UNIT}transactions.py::test_a_change_is_seen_after_the_commit",
)
FORKED_VERSIONS = guard(
    "forks count from places of their own",
    "versions",
    "_last += secrets.randbits(RANDOM_BITS + SPREAD_BITS)",
    "_last += 0",
    f"{UNIT}forks.py::test_forks_draw_different_versions_while_the_clock_is_behind",
)
ALL_SERVERS = guard(
    "every server is told",
    "servers",
    "[node.name for node in self.nodes if",
    "[node.name for node in self.nodes[:1] if",
    f"{REAL}server_races.py::test_f_one_of_two_servers_that_missed_a_change_is_not_believed",
)
OWED = guard(
    "a server that is owed is closed",
    "node",
    "            self._close()\n        return False",
    "            self._see_to_payer()\n        return False",
    f"{UNIT}fail_open.py::test_a_change_is_seen_wherever_the_server_fails",
)
SAME_SERVER = guard(
    "entries of the same server only",
    "lookup",
    "return bool(servers) and servers !=",
    "return False and servers !=",
    f"{REAL}server_races.py::test_i_an_entry_is_not_built_from_one_of_a_server_that_was_not_told_yet",
    f"{UNIT}two_servers.py::test_an_entry_is_not_built_from_a_server_that_lags",
)
NO_MEMORY = guard(
    "nothing remembered while computing",
    "nesting",
    "with memo.suspended():",
    "if True:",
    f"{UNIT}transactions.py::test_an_entry_is_not_built_from_what_the_request_saw_before",
)
FORGETS = guard(
    "a change clears what the request has seen",
    "invalidation",
    "    memo.forget_all()\n",
    "",
    f"{UNIT}requests.py::test_a_change_clears_what_the_request_has_seen",
)
UNDECLARED = guard(
    "undeclared tags are not stored",
    "keeping",
    "complete=_declared_all(calls[0], computation),",
    "complete=_declared_all(calls[0], computation) or True,",
    f"{UNIT}transactions.py::test_an_entry_that_hides_a_dependency_is_not_stored",
)
UNDECLARED_INSIDE = guard(
    "nor those that an inner entry hides",
    "nesting",
    "outer.used |= computation.undeclared",
    "pass",
    f"{UNIT}nesting.py::test_what_the_inner_entry_hides_the_outer_one_may_not_hide_either",
)
UNDECLARED_BY_REFRESH = guard(
    "nor those of `refresh`",
    "answering",
    "    note_use(call.tags)\n    where = place(call, engine())\n",
    "    where = place(call, engine())\n",
    f"{UNIT}two_servers.py::test_a_rewritten_entry_names_what_it_was_built_from",
)
FORKED_FLIGHTS = guard(
    "flights do not survive a fork",
    "flights",
    "    _flights.clear()\n",
    "",
    f"{UNIT}forks.py::test_a_child_does_not_wait_for_what_its_parent_computes",
)
FORKED_LOCKS = guard(
    "nor do locks",
    "locks",
    "        lock.start_anew()\n",
    "        pass\n",
    f"{UNIT}forks.py::test_a_child_finds_no_lock_taken",
    f"{UNIT}forks.py::test_a_child_owes_and_asks_although_a_thread_of_its_parent_held_the_server",
    f"{UNIT}forks.py::test_a_child_has_a_breaker_that_nobody_holds",
)
FORKED_COUNTS = guard(
    "nor do counts",
    "stats",
    "    # What the parent counted it reports itself.\n    _counters.clear()\n",
    "    pass\n",
    f"{UNIT}stats.py::test_a_child_does_not_count_again_what_its_parent_has_counted",
)
ONE_ENGINE = guard(
    "one engine for all threads",
    "engine",
    "    with _making:\n        if _engine is None or _engine[0] is not raw:\n",
    "    if True:\n        if True:\n",
    f"{UNIT}engine.py::test_threads_that_ask_first_at_once_get_the_same_one",
)
INTERRUPTED = guard(
    "an interrupted connection is closed",
    "stores/lending",
    "            self._disconnect(connection)\n            raise",
    "            self._idle.append(connection)\n            raise",
    f"{REAL}stores.py::test_an_interrupted_question_leaves_no_answer_to_the_next_one",
)
SENT_ONCE = guard(
    "writes are sent once",
    "stores/redis",
    "retry=Retry(NoBackoff(), 0),",
    "retry=Retry(NoBackoff(), 3),",
    f"{REAL}server_races.py::test_j_a_write_is_sent_once",
)
LEARNED = Guard(
    "what a page turned out to use is read before it is computed again",
    (
        edit("learning", "from typing import Any\n", "from typing import Any\n\nimport msgspec\n"),
        edit(
            "learning",
            "compute_one(wider, where.node.name), kept.longest",
            "kept.computed._replace(complete=True, value=msgspec.structs.replace("
            "kept.computed.value, tags=list(wider.tags))), kept.longest",
        ),
    ),
    (f"{REAL}pages.py::test_a_page_that_is_computed_across_a_commit_is_not_believed",),
)
LEARNED_VERSIONS = guard(
    "and so are the versions of its tags",
    "learning",
    "    return Kept(wider, where, versions, compute_one(wider, where.node.name), kept.longest)",
    "    again = compute_one(wider, where.node.name)\n"
    "    versions = where.node.versions(where.tags) or versions\n"
    "    return Kept(wider, where, versions, again, kept.longest)",
    f"{REAL}pages.py::test_a_page_that_is_computed_again_across_a_commit_is_not_believed",
)
LEARNED_BY_RENEWALS = guard(
    "also where it is renewed",
    "renewal",
    "widen(Kept(item.call, item.where, item.versions, result, longest))",
    "Kept(item.call, item.where, item.versions, result, longest)",
    f"{UNIT}page_races.py::test_a_page_that_shows_something_new_is_renewed_with_the_tags_of_that",
)
SURROUNDINGS = guard(
    "what is renewed looks as its readers see it",
    "renewal",
    "with around.restored():",
    "if True:",
    f"{UNIT}page_races.py::test_a_page_is_renewed_in_the_time_zone_and_with_the_links_of_its_readers",
    f"{UNIT}renewal.py::test_the_language_is_that_of_the_reader",
)
NOT_OVERWRITTEN = guard(
    "what is renewed does not take the place of something newer",
    "renewal",
    "        if item in current:",
    "        if current is not None:",
    f"{UNIT}renewal.py::test_a_change_during_the_work_is_not_overwritten",
)
MARK = Guard(
    "the mark is taken down before versions are read",
    (
        edit("rewriter", "    take_down(now)\n", ""),
        edit(
            "rewriter",
            "    return [tag for tag in tags if tag not in now]",
            "    take_down(now)\n    return [tag for tag in tags if tag not in now]",
        ),
    ),
    (f"{UNIT}rewriting.py::test_what_changes_while_the_worker_computes_sends_another",),
)
ENDS = guard(
    "a rewrite ends with the entry before it",
    "renewal",
    "longest = item.ends - time.time()",
    'longest = float("inf")',
    f"{UNIT}rewriting.py::test_a_rewritten_entry_lives_no_longer_than_the_one_before",
)
OUTBOX = guard(
    "an invalidation is written down with the change",
    "outbox",
    "if not engine().options.durable or connection.needs_rollback:",
    "if True:",
    f"{REAL}killed_writers.py::test_a_writer_killed_after_the_commit_is_made_up_for",
)
CATCH_UP = guard(
    "who lost sight of a server asks what it missed",
    "node",
    "return self.catch_up is None or self.catch_up(self)",
    "return True",
    f"{UNIT}outbox.py::test_a_process_that_lost_sight_of_a_server_asks_what_others_owe_it",
    f"{REAL}killed_writers.py::test_who_saw_the_server_away_never_reads_what_is_old",
)
NO_THREAD = guard(
    "a thread that cannot be started is no error: of a debt",
    "node",
    "with suppress(RuntimeError):",
    "with suppress():",
    f"{UNIT}fail_open.py::{NOTHING_TO_SPARE}",
)
NO_REPORTER = guard(
    "a thread that cannot be started is no error: of the statistics",
    "reporting",
    "with suppress(RuntimeError):",
    "with suppress():",
    f"{UNIT}fail_open.py::{NOTHING_TO_SPARE}",
)
ODD_TEXT = guard(
    "text that is no UTF-8 is no error",
    "codecs",
    "except UnicodeEncodeError as error:",
    "except ZeroDivisionError as error:",
    f"{UNIT}fail_open.py::test_what_cannot_be_written_as_bytes_is_shown",
)
ZONES = guard(
    "pages differ by time zone",
    "pages",
    "                timezone.get_current_timezone_name(),\n",
    "",
    f"{UNIT}pages.py::test_languages_and_time_zones_have_pages_of_their_own",
)

GUARDS = (
    *(value for value in dict(globals()).values() if isinstance(value, Guard)),
    *guards_of_work.GUARDS,
)
