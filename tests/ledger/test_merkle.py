"""The tree that grows: roots as they are defined, proofs that hold, and forged ones that do not."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bank_node.ledger.journal import merkle_root
from bank_node.ledger.merkle import (
    EMPTY_ROOT,
    Tree,
    is_consistent,
    leaf_hash,
    node_hash,
    root_by_inclusion,
)

SIZE = 300
DATA = [b"leaf %d" % n for n in range(SIZE)]
LEAVES = [leaf_hash(data) for data in DATA]
ROOTS = [merkle_root(DATA[:size]) for size in range(SIZE + 1)]
TREE = Tree(LEAVES)

quick = settings(max_examples=150)
sizes = st.integers(1, SIZE)


@cache
def inclusion(index: int, size: int) -> tuple[bytes, ...]:
    return tuple(TREE.inclusion(index, size))


def test_the_root_after_every_leaf_is_that_of_the_definition():
    tree = Tree()
    assert tree.root() == EMPTY_ROOT == ROOTS[0]
    for size, leaf in enumerate(LEAVES, 1):
        tree.append(leaf)
        assert (tree.size, tree.root()) == (size, ROOTS[size])
    assert [tree.root(size) for size in range(SIZE + 1)] == ROOTS


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9, 16, 17, 31, 255, 256, 257, SIZE])
def test_every_leaf_is_proven_to_be_in_every_tree_that_holds_it(size):
    for index in range(size):
        path = TREE.inclusion(index, size)
        assert len(path) <= (size - 1).bit_length()
        assert root_by_inclusion(LEAVES[index], index, size, path) == ROOTS[size]


@pytest.mark.parametrize("second", [1, 2, 3, 7, 8, 9, 16, 17, 31, 255, 256, 257, SIZE])
def test_every_tree_is_proven_to_begin_with_every_smaller_one(second):
    for first in range(second + 1):
        path = TREE.consistency(first, second)
        assert len(path) <= second.bit_length() + 1
        assert is_consistent(first, ROOTS[first], second, ROOTS[second], path)


def test_the_proofs_are_those_of_the_example_in_the_rfc():
    """RFC 6962, section 2.1.3: a tree of seven leaves, d0 to d6."""
    tree = Tree(LEAVES[:7])
    a, b, c, d, e, f, j = LEAVES[:7]
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k = node_hash(g, h)
    left = node_hash(i, j)
    assert tree.inclusion(0, 7) == [b, h, left]
    assert tree.inclusion(3, 7) == [c, g, left]
    assert tree.inclusion(4, 7) == [f, j, k]
    assert tree.inclusion(6, 7) == [i, k]
    assert tree.consistency(3, 7) == [c, d, g, left]
    assert tree.consistency(4, 7) == [left]
    assert tree.consistency(6, 7) == [i, j, k]


@pytest.mark.parametrize(("index", "size"), [(-1, 5), (5, 5), (0, 0), (0, SIZE + 1), (0, -1)])
def test_there_is_no_proof_of_a_leaf_that_is_not_there(index, size):
    with pytest.raises(ValueError):
        TREE.inclusion(index, size)


@pytest.mark.parametrize(("first", "second"), [(-1, 5), (6, 5), (0, SIZE + 1), (2, -1)])
def test_there_is_no_proof_about_a_tree_that_is_not_there(first, second):
    with pytest.raises(ValueError):
        TREE.consistency(first, second)


def forged(draw: st.DrawFn, path: list[bytes]) -> list[bytes]:
    """The path with one thing changed, as a forger would try it."""
    place = draw(st.integers(0, len(path)))
    some = draw(st.sampled_from([*LEAVES[:4], *ROOTS[:4], bytes(32), *path]))
    tricks = [path[:place] + path[place + 1 :], [*path[:place], some, *path[place:]]]
    if place < len(path):
        flipped = bytes([path[place][0] ^ 1]) + path[place][1:]
        tricks += [
            [*path[:place], flipped, *path[place + 1 :]],
            [*path[:place], some, *path[place + 1 :]],
            path[place:] + path[:place],
            path[::-1],
        ]
    return draw(st.sampled_from(tricks))


@quick
@given(st.data(), sizes)
def test_a_changed_path_never_leads_to_the_root(data, size):
    index = data.draw(st.integers(0, size - 1))
    path = list(inclusion(index, size))
    changed = forged(data.draw, path)
    if changed != path:
        assert root_by_inclusion(LEAVES[index], index, size, changed) != ROOTS[size]


@quick
@given(st.data(), sizes)
def test_a_leaf_is_proven_at_its_own_place_only(data, size):
    index = data.draw(st.integers(0, size - 1))
    other = data.draw(st.integers(-2, size + 2))
    path = list(inclusion(index, size))
    if other != index:
        assert root_by_inclusion(LEAVES[index], other, size, path) != ROOTS[size]


@quick
@given(st.data(), sizes, st.integers(0, SIZE))
def test_a_path_does_not_lead_to_the_root_of_another_size(data, size, other):
    index = data.draw(st.integers(0, size - 1))
    if other != size:
        found = root_by_inclusion(LEAVES[index], index, other, inclusion(index, size))
        assert found is None or found != ROOTS[other]


def test_an_inner_node_cannot_be_passed_off_as_a_leaf():
    pair = LEAVES[0] + LEAVES[1]
    path = TREE.inclusion(0, 4)[1:]
    assert root_by_inclusion(node_hash(*LEAVES[:2]), 0, 2, path) == ROOTS[4], "a hash proves data"
    assert root_by_inclusion(leaf_hash(pair), 0, 2, path) != ROOTS[4]


def test_a_repeated_last_leaf_is_another_tree():
    """The mistake of trees that fill up an odd level: two lists of leaves with one root."""
    tree = Tree([*LEAVES[:3], LEAVES[2]])
    assert tree.root() != ROOTS[3]
    assert not is_consistent(4, tree.root(), 3, ROOTS[3], [])
    assert not is_consistent(3, ROOTS[3], 4, tree.root(), TREE.consistency(3, 4))


@quick
@given(st.data(), sizes)
def test_a_changed_proof_of_consistency_is_refused(data, second):
    first = data.draw(st.integers(0, second))
    path = TREE.consistency(first, second)
    changed = forged(data.draw, path)
    if changed != path:
        assert not is_consistent(first, ROOTS[first], second, ROOTS[second], changed)


@quick
@given(st.data(), sizes, st.integers(0, SIZE), st.integers(0, SIZE))
def test_a_proof_of_consistency_is_for_its_own_trees_only(data, second, other, another):
    """A size is bound to its root by the signature over both, not by the path."""
    first = data.draw(st.integers(1, second))
    path = TREE.consistency(first, second)
    if (other, another) != (first, second) and path:
        assert not is_consistent(other, ROOTS[other], another, ROOTS[another], path)


@pytest.mark.parametrize(("first", "second"), [(-1, 4), (5, 4), (-2, -1), (4, -1)])
def test_sizes_that_no_two_trees_have_are_refused(first, second):
    path = TREE.consistency(3, 4)
    assert not is_consistent(first, ROOTS[3], second, ROOTS[4], path)
    assert not is_consistent(first, ROOTS[3], second, ROOTS[4], [])


@quick
@given(st.data(), sizes, sizes)
def test_a_history_that_was_changed_has_no_proof(data, one, other):
    first, second = sorted((one, other))
    place = data.draw(st.integers(0, first - 1))
    rewritten = Tree([*LEAVES[:place], leaf_hash(b"forged"), *LEAVES[place + 1 : second]])
    path = rewritten.consistency(first, second)
    assert not is_consistent(first, ROOTS[first], second, rewritten.root(), path)
    honest = TREE.consistency(first, second)
    assert not is_consistent(first, ROOTS[first], second, rewritten.root(), honest)


def test_everything_begins_with_nothing_and_with_itself_only():
    assert is_consistent(0, EMPTY_ROOT, 5, ROOTS[5], [])
    assert not is_consistent(0, ROOTS[1], 5, ROOTS[5], [])
    assert not is_consistent(0, EMPTY_ROOT, 5, ROOTS[5], [LEAVES[0]])
    assert is_consistent(5, ROOTS[5], 5, ROOTS[5], [])
    assert not is_consistent(5, ROOTS[5], 5, ROOTS[4], [])
    assert not is_consistent(4, ROOTS[4], 5, ROOTS[5], [])
