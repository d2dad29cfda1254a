"""`bank user`, `bank merchant`, `bank pay`: PINs from stdin, amounts with two decimals."""

import pytest

from bank_node.banking.payments.names import default_handle
from cli.test_call import at


@pytest.fixture
def handle(served):
    return default_handle(served.host)


def join(bank, served, handle, name, *more, what="user"):
    done = bank(what, "register", f"{name}@{handle}", "--name", f"{name} Novak", "--mobile",
                "420777123456", *more, *at(served), stdin="2580\n")  # fmt: skip
    assert done.returncode == 0, done.stderr
    return dict(line.split() for line in done.stdout.splitlines())


def test_a_user_pays_a_merchant_by_its_code(bank, served, handle, tmp_path):
    payer = join(bank, served, handle, "alice")
    shop = join(bank, served, handle, "shop", "--category", "5411", what="merchant")
    assert bank("call", *at(served), f"AD {payer['account']} 10000").stdout == "AD\n"
    shown = bank("merchant", "code", "--amount", "12.50", "--reference", "t1", "--seconds", 600,
                 "--note", "two coffees", "--png", tmp_path / "code.png", *at(served),
                 stdin=shop["token"] + "\n")  # fmt: skip
    uri = shown.stdout.splitlines()[-1]
    assert uri.startswith("upi://pay?pa=shop@"), shown.stderr
    assert (tmp_path / "code.png").read_bytes().startswith(b"\x89PNG")
    paid = bank("pay", uri, "--from", f"alice@{handle}", *at(served), stdin="2580\n")
    assert paid.returncode == 0, paid.stderr
    assert "paying 12.50 to shop Novak" in paid.stdout
    balance = bank("user", "balance", f"alice@{handle}", *at(served), stdin="2580\n")
    assert balance.stdout == "87.50\n"


def test_the_same_reference_pays_once(bank, served, handle):
    payer, payee = (join(bank, served, handle, name) for name in ("alice", "bob"))
    bank("call", *at(served), f"AD {payer['account']} 1000")
    lines = {
        bank("pay", f"bob@{handle}", "--from", f"alice@{handle}", "--amount", "2", "--reference",
             "rent", *at(served), stdin="2580\n").stdout
        for _ in range(2)
    }  # fmt: skip
    assert len(lines) == 1
    assert bank("call", *at(served), f"AB {payee['account']}").stdout == "AB 200\n"


def test_a_refusal_is_printed_and_the_exit_code_is_1(bank, served, handle):
    join(bank, served, handle, "alice")
    wrong = bank("user", "balance", f"alice@{handle}", *at(served), stdin="1470\n")
    assert (wrong.returncode, wrong.stdout) == (1, "ER ZM: The address or the PIN is wrong.\n")


@pytest.mark.parametrize("amount", ["0", "-1", "1.005", "nan", "1e3", "", "1,5", "9" * 20])
def test_a_strange_amount_is_a_usage_error(bank, amount):
    used = bank("pay", "bob@brno", "--from", "alice@brno", f"--amount={amount}", stdin="2580\n")
    assert used.returncode == 2
    assert "amount" in used.stderr


def test_a_pin_goes_to_no_other_machine_by_itself(bank):
    used = bank("user", "balance", "alice@brno", "--host", "192.0.2.1", stdin="2580\n")
    assert used.returncode == 2
    assert "--insecure" in used.stderr


def test_a_pin_is_not_taken_from_the_command_line(bank, served, handle):
    used = bank("call", *at(served), f"PB alice@{handle} 2580")
    assert used.returncode == 2
    assert "command line" in used.stderr
    asked = bank("call", *at(served), stdin=f"PB alice@{handle} 2580\n")
    assert asked.stdout.startswith("ER ZM")


def test_limits_and_freezing_have_commands(bank, served, handle):
    join(bank, served, handle, "alice")
    told = bank("user", "limits", f"alice@{handle}", "--per-day", "30", *at(served), stdin="2580\n")
    assert told.stdout.split()[-1] == "30.00"
    frozen = bank("user", "freeze", f"alice@{handle}", "frozen", *at(served), stdin="2580\n")
    assert frozen.stdout == "frozen\n"
    who = bank("user", "resolve", f"alice@{handle}", *at(served)).stdout
    assert "state     frozen" in who
    changed = bank("user", "pin", f"alice@{handle}", *at(served), stdin="2580\n369121\n")
    assert changed.stdout == "changed\n", changed.stderr
    claimed = bank("user", "claim", f"alice@{handle}", f"queen@{handle}", *at(served),
                   stdin="369121\n")  # fmt: skip
    assert claimed.stdout == f"queen@{handle}\n"


def test_a_shop_asks_for_money_and_gives_a_part_back(bank, served, handle):
    payer = join(bank, served, handle, "alice")
    join(bank, served, handle, "shop", "--category", "5411", what="merchant")
    bank("call", *at(served), f"AD {payer['account']} 10000")
    asked = bank("collect", "ask", f"alice@{handle}", "--by", f"shop@{handle}", "--amount", "7.50",
                 *at(served), stdin="2580\n")  # fmt: skip
    request = asked.stdout.strip()
    shown = bank("collect", "list", f"alice@{handle}", *at(served), stdin="2580\n")
    assert shown.stdout.startswith(f"{request}  collect  pending  7.50  shop Novak")
    paid = bank("collect", "approve", request, "--by", f"alice@{handle}", *at(served),
                stdin="2580\n")  # fmt: skip
    assert paid.stdout.startswith("paying 7.50 to shop Novak"), paid.stderr
    payment = paid.stdout.split("payment ")[1].partition(",")[0]
    back = bank("refund", payment, "--by", f"shop@{handle}", "--amount", "2.50", *at(served),
                stdin="2580\n")  # fmt: skip
    assert "given back" in back.stdout, back.stderr
    balance = bank("user", "balance", f"alice@{handle}", *at(served), stdin="2580\n")
    assert balance.stdout == "95.00\n"


def test_a_mandate_is_asked_for_approved_and_shown(bank, served, handle):
    join(bank, served, handle, "alice")
    join(bank, served, handle, "shop", "--category", "5411", what="merchant")
    asked = bank("mandate", "ask", f"alice@{handle}", "--by", f"shop@{handle}", "--amount", "99",
                 "--every", "monthly:on:15", "--end", "2099-12-31", *at(served),
                 stdin="2580\n")  # fmt: skip
    mandate = asked.stdout.strip()
    said = bank("mandate", "answer", mandate, "approve", "--by", f"alice@{handle}", *at(served),
                stdin="2580\n")  # fmt: skip
    assert said.stdout == "active\n", said.stderr
    assert "exact 99.00 monthly:on:15, until 2099-12-31\n" in said.stderr
    assert "nothing waits" not in said.stderr
    again = bank("mandate", "answer", mandate, "approve", "--by", f"alice@{handle}", *at(served),
                 stdin="2580\n")  # fmt: skip
    assert again.stdout == "active\n"
    assert "nothing waits for an answer, agreed is exact 99.00 monthly:on:15" in again.stderr
    shown = bank("mandate", "show", mandate, *at(served)).stdout
    assert "amount        99.00\n" in shown
    assert "recurrence    monthly:on:15\n" in shown


def test_a_payment_is_disputed_contested_and_given_back(bank, served, handle):
    payer = join(bank, served, handle, "alice")
    join(bank, served, handle, "shop", "--category", "5411", what="merchant")
    bank("call", *at(served), f"AD {payer['account']} 10000")
    paid = bank("pay", f"shop@{handle}", "--from", f"alice@{handle}", "--amount", "7.50",
                *at(served), stdin="2580\n")  # fmt: skip
    payment = paid.stdout.split("payment ")[1].partition(",")[0]
    raised = bank("dispute", "raise", payment, "--by", f"alice@{handle}", "--why", "broken cup",
                  *at(served), stdin="2580\n")  # fmt: skip
    dispute, state = raised.stdout.split()
    assert state == "raised"
    by_shop = ("--by", f"shop@{handle}", *at(served))
    said = bank("dispute", "contest", dispute, "--why", "it was whole", *by_shop, stdin="2580\n")
    assert said.stdout == f"{dispute}  contested\n", said.stderr
    shown = bank("dispute", "show", dispute, *at(served)).stdout
    assert "amount      7.50\n" in shown
    assert "payee       it was whole  (" in shown
    done = bank("dispute", "accept", dispute, *by_shop, stdin="2580\n")
    assert done.stdout == f"{dispute}  accepted\n"
    again = bank("dispute", "withdraw", dispute, "--by", f"alice@{handle}", *at(served),
                 stdin="2580\n")  # fmt: skip
    assert again.returncode == 1
