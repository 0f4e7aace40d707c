"""The guards by which work is done once and shared with those alone whom it suits."""

from __future__ import annotations

from tests.mutations.edits import REAL, UNIT, Guard, edit, guard

EQUAL_VERSIONS = guard(
    "a computation is shared at equal versions",
    "answering",
    "with boarding((where.key, *versions)) as",
    "with boarding((where.key,)) as",
    f"{UNIT}computing_once.py::test_who_asks_after_a_change_does_not_wait_for_the_old_value",
)
EQUAL_TAGS = guard(
    "and a page at equal tags",
    "answering",
    "    if other is not None:\n        return settle",
    "    if False:\n        return settle",
    f"{UNIT}page_races.py::test_who_asks_after_a_change_does_not_get_the_page_from_before_it",
)
NONE_UNDER_WAY = guard(
    "none that is going on while the server is away",
    "unseen",
    "if not _is_next(calls, flight_key):",
    "if False:",
    f"{UNIT}computing_once.py::test_nobody_gets_what_another_process_changed_while_we_cannot_see_it",
    f"{UNIT}unseen.py::test_nobody_is_answered_from_before_he_asked",
)
NEXT_IS_SHARED = guard(
    "but the next one, whatever it is built from",
    "unseen",
    "each.shareable if kept_on else each.common",
    "each.shareable",
    f"{UNIT}unseen.py::test_all_who_ask_meanwhile_share_the_next_computation",
    f"{REAL}stampede.py::test_with_the_server_stopped_one_computes_for_all_who_ask_meanwhile",
)
NOT_BY_OTHER_SERVERS = guard(
    "and by none who may ask other servers",
    "unseen",
    "(*keys, invalidation.generation(), kept_on)",
    "(*keys, invalidation.generation())",
    f"{UNIT}unseen.py::test_what_an_entry_is_built_from_is_shared_with_none_who_may_ask_other_servers",
)
NOT_WITHOUT_ITS_TAGS = guard(
    "nor where an entry is built that must hear of all tags",
    "unseen",
    "each.shareable if kept_on else each.common",
    "each.common",
    f"{UNIT}unseen.py::test_who_builds_an_entry_that_will_be_stored_computes_what_hides_a_tag_himself",
)
NOT_WHAT_IS_MINE = guard(
    "nor does a writer wait for those who do not see his change",
    "batches",
    "is_unseen=not versions and looks[index].found is not Found.CHANGED_HERE",
    "is_unseen=not versions",
    f"{UNIT}unseen.py::test_in_a_batch_a_writer_waits_for_nobody_who_does_not_see_his_change",
)
LEASES = guard(
    "leases",
    "answering",
    "return won is None or won[0]",
    "return True",
    f"{REAL}stampede.py::test_each_is_computed_once_when_cold_and_at_every_expiry",
)
LEASES_OF_BATCHES = guard(
    "leases of batches too",
    "batches",
    "ours += group if won is None else [g for g, mine in zip(group, won, strict=True) if mine]",
    "ours += group",
    f"{UNIT}batches.py::test_what_another_process_computes_is_waited_for",
)
LEASES_OF_RENEWALS = guard(
    "and in the background",
    "renewal",
    "won += [item for item, taken in zip(group, answers, strict=False) if taken]",
    "won += group",
    f"{REAL}stampede.py::test_nobody_waits_where_an_old_value_may_be_shown",
)
LOOK_UNDER_LEASE = Guard(
    "a look under the lease",
    (
        edit("answering", "if again.is_shown:", "if False:"),
        edit(
            "batches",
            "        for node, group in leases:\n            _collect(node, group, values)\n",
            "        pass\n",
        ),
    ),
    (f"{UNIT}batches.py::test_what_was_stored_since_we_looked_is_not_computed_again",),
)
LOOK_BEFORE_RENEWAL = guard(
    "a look under the lease also of a renewal and of a rewrite",
    "renewal",
    "again.is_shown and again.created_ms != item.seen_ms",
    "False",
    f"{REAL}stampede.py::test_where_it_may_be_stale_one_computes_at_every_expiry_and_nobody_waits",
    f"{UNIT}renewing_once.py::test_who_looked_before_it_was_stored_does_not_renew_it_again",
    f"{UNIT}renewing_once.py::test_of_many_only_those_are_computed_that_nobody_has_renewed",
    f"{UNIT}renewing_once.py::test_what_a_reader_has_computed_since_the_change_is_not_rewritten",
    f"{UNIT}page_races.py::test_a_page_that_was_renewed_with_other_tags_is_not_renewed_again",
)
SAME_ENTRY = guard(
    "which looks for another entry, not for a later clock",
    "renewal",
    "again.created_ms != item.seen_ms",
    "again.created_ms > item.seen_ms",
    f"{UNIT}renewing_once.py::test_what_a_process_with_a_slow_clock_has_renewed_counts_too",
)
SEEN_ENTRY = guard(
    "and leaves to the lease what was seen",
    "renewal",
    "again.is_shown and again.created_ms != item.seen_ms",
    "again.is_shown",
    f"{UNIT}renewal.py::test_nobody_waits_for_an_entry_that_may_be_stale",
    f"{UNIT}renewing_once.py::test_one_that_lost_its_lease_without_storing_is_followed_by_the_next",
)
LOOK_AT_OTHER_TAGS = guard(
    "also by the tags of who was first",
    "answering",
    "relearn(call, _look_again(call, where))[1]",
    "_look_again(call, where)",
    f"{REAL}pages.py::test_who_waited_for_another_process_takes_its_page_whatever_its_tags_are",
)

GUARDS = tuple(value for value in dict(globals()).values() if isinstance(value, Guard))
