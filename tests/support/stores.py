"""What every store must do, run against each kind of server."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from apps.caching.stores import Item, Store


class StoreContract:
    """Inherit it as Test…, with a fixture `store` that gives an empty store."""

    def test_it_gives_back_what_was_put(self, store: Store) -> None:
        store.put([Item("a", b"\x00\r\n\xff", 60), Item("b", b"", 60)])

        assert store.get(["b", "missing", "a"]) == [b"", None, b"\x00\r\n\xff"]

    def test_it_replaces_what_was_there(self, store: Store) -> None:
        store.put([Item("a", b"1", 60)])
        store.put([Item("a", b"2", 60)])

        assert store.get(["a"]) == [b"2"]

    def test_it_adds_only_what_is_absent(self, store: Store) -> None:
        store.put([Item("a", b"1", 60)])

        assert store.add([Item("a", b"2", 60), Item("b", b"2", 60)]) == [False, True]
        assert store.get(["a", "b"]) == [b"1", b"2"]

    def test_it_drops_what_it_is_told(self, store: Store) -> None:
        store.put([Item("a", b"1", 60), Item("b", b"2", 60)])

        store.drop(["a", "missing"])

        assert store.get(["a", "b"]) == [None, b"2"]
        assert store.add([Item("a", b"3", 60)]) == [True]

    def test_it_keeps_what_has_no_time(self, store: Store) -> None:
        store.put([Item("a", b"1", 0)])

        assert store.get(["a"]) == [b"1"]

    def test_it_takes_the_longest_key(self, store: Store) -> None:
        key = "k" * 250
        store.put([Item(key, b"1", 60)])

        assert store.get([key]) == [b"1"]

    def test_it_takes_many_at_once(self, store: Store) -> None:
        items = [Item(f"k{number}", str(number).encode(), 60 + number) for number in range(200)]
        store.put(items)

        assert store.get([item.key for item in items]) == [item.value for item in items]

    def test_of_many_that_add_one_wins(self, store: Store) -> None:
        with ThreadPoolExecutor(8) as pool:
            won = list(pool.map(lambda n: store.add([Item("a", b"%d" % n, 60)]), range(16)))

        assert sum(answer == [True] for answer in won) == 1
