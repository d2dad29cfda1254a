"""Whoever listens goes on listening at another node of the bank, and misses nothing."""

import json

from support.one_bank import caught_up, promote
from support.two_banks import ask


def test_news_from_before_a_promotion_are_told_after_it(nodes):
    leader = nodes.lead("a", payments__handle="brno", payments__pin_profile="light")
    follower = nodes.follow("b", leader, payments__handle="brno", payments__pin_profile="light")
    account = ask(leader, "PU alice@brno Alice 420777123456 2580").split()[1]
    ask(leader, "PM shop@brno Shop 5411 420777654321 2580")
    ask(leader, f"AD {account} 1000")
    token = ask(leader, "PK alice@brno 2580").split()[1]
    cursor = json.loads(ask(leader, f"PE {token}")[3:])["cursor"]
    payment = ask(leader, "PP alice@brno shop@brno 70 r1 2580").split()[1]
    caught_up(leader, follower)
    assert payment in ask(follower, f"PE {token} {cursor}"), "a follower tells what it has"
    assert promote(follower) == "FP"
    assert payment in ask(follower, f"PE {token} {cursor}")
    later = ask(follower, "PP alice@brno shop@brno 5 r2 2580").split()[1]
    assert later in ask(follower, f"PE {token} {cursor}")
