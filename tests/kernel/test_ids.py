"""Identifiers that are made one after the other stand one after the other, and random ones nowhere."""

import time

from lianfang.kernel import ids


def test_identifiers_of_one_process_are_in_the_order_in_which_they_were_made() -> None:
    before = time.time_ns() // 1_000_000
    made = [ids.new_id() for _ in range(2_000)]  # several in each millisecond
    assert made == sorted(made)
    assert len(set(made)) == len(made)
    assert {(one.version, one.variant) for one in made} == {(7, "specified in RFC 4122")}
    assert before <= made[0].int >> 80 <= made[-1].int >> 80 <= time.time_ns() // 1_000_000


def test_a_random_identifier_says_nothing_of_when_it_was_made() -> None:
    made = [ids.random_id() for _ in range(200)]
    assert {(one.version, one.variant) for one in made} == {(4, "specified in RFC 4122")}
    assert len({one.int >> 80 for one in made}) == len(made)
