"""`bank prove` and `bank verify-proof`: a proof made by one and believed by the other."""

import json

import pytest
from support.wire import open_account

from bank_node.security.identity import new_identity

ENTRIES = 33


@pytest.fixture
def proven(bank, ledger, tmp_path):
    """Makes a proof from files and checks it; the proof, exit code and words of the check."""

    def prove(*options: object, key: str = ""):
        file = tmp_path / "proof.json"
        made = bank("prove", "--data", ledger, "--output", file, *options)
        assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
        checked = bank("verify-proof", file, *(["--key", key] if key else []))
        return json.loads(file.read_text()), checked.returncode, checked.stdout

    return prove


def test_a_head_is_proven(proven):
    document, code, told = proven()
    assert (document["kind"], document["size"], code) == ("signed head", ENTRIES, 0)
    assert f"its ledger has {ENTRIES} blocks" in told
    assert document["key"] in told
    assert "compare it" in told


def test_an_entry_is_proven_and_described(proven):
    document, code, told = proven("--entry", 4)
    assert (document["kind"], document["entry"], code) == ("inclusion", 4, 0)
    assert "deposited: 1 from cash to account " in told
    *_, sure = proven("--entry", 4, key=document["head"]["key"])
    assert "compare it" not in sure


def test_the_latest_entry_of_an_account_is_proven(proven):
    _, _, told = proven("--entry", ENTRIES)
    number = told.split("to account ")[1].split(",")[0]
    document, code, _ = proven("--account", number)
    assert (document["entry"], code) == (ENTRIES, 0)


def test_a_ledger_is_proven_to_have_only_grown(proven):
    document, code, told = proven("--since", 7)
    assert (document["kind"], code) == ("consistency", 0)
    assert f"with {ENTRIES} blocks begins with the one of 7 blocks" in told


def test_a_forged_proof_is_refused_in_words_and_in_json(bank, proven, tmp_path):
    document, *_ = proven("--entry", 4)
    document["record"] = document["record"].replace("01", "09")
    (tmp_path / "forged.json").write_text(json.dumps(document))
    told = bank("verify-proof", tmp_path / "forged.json")
    assert (told.returncode, told.stderr) == (1, "")
    assert told.stdout == "not proven: entry 4 is not in block 4\n"
    told = bank("verify-proof", "--json", tmp_path / "forged.json")
    assert (told.returncode, json.loads(told.stdout)["proven"]) == (1, False)


def test_a_proof_for_another_key_is_refused(proven):
    *_, code, told = proven("--entry", 4, key=new_identity(bytes(32)).key)
    assert (code, told.startswith("not proven: it is signed with the key")) == (1, True)


def test_a_proof_can_be_piped_and_read_by_programs(bank, ledger):
    made = bank("prove", "--data", ledger, "--entry", 5)
    told = bank("verify-proof", "-", "--json", stdin=made.stdout)
    report = json.loads(told.stdout)
    assert (report["proven"], report["entry"]["number"], report["entry"]["kind"]) == (
        True,
        5,
        "deposited",
    )


def test_a_bank_that_serves_is_asked(bank, served):
    with served.wire() as wire:
        account = open_account(wire, 500)
        key = wire.ask("VE").split("key=")[1].split()[0]
    where = "{}:{}".format(*served.address)
    number = account.partition("/")[0]
    for options in (["--entry", 2], ["--account", number], ["--since", 1], []):
        made = bank("prove", "--connect", where, *options)
        told = bank("verify-proof", "-", "--key", key, stdin=made.stdout)
        assert (told.returncode, told.stdout.startswith("proven: ")) == (0, True)
    refused = bank("prove", "--connect", where, "--entry", 3)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "There is no such entry" in refused.stderr


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--entry", 999], "There is no such entry"),
        (["--since", 999], "The ledger has 33 blocks"),
        (["--account", 10], "there is no account 10"),
        (["--entry", 1, "--since", 1], "exclude each other"),
        (["--connect", "nowhere"], "is not written HOST:PORT"),
        (["--entry", 0], "0"),
    ],
)
def test_what_cannot_be_proven_is_said_in_a_sentence(bank, ledger, options, complaint):
    ended = bank("prove", "--data", ledger, *options)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert complaint in ended.stderr
    assert "Traceback" not in ended.stderr


def test_without_the_key_of_the_bank_nothing_is_signed(bank, ledger):
    (ledger / "identity.key").unlink()
    ended = bank("prove", "--data", ledger)
    assert (ended.returncode, "the key of the bank" in ended.stderr) == (2, True)
    assert not (ledger / "identity.key").exists()
