"""Every setting of a node: its type, bounds, default and the line that documents it.

This table is all there is to add a setting: the file, the environment, the command line,
`bank config` and the table of docs/settings.md are derived from it, by way of `keys.py`.
"""

from typing import Annotated, Literal

from msgspec import Struct, field

from bank_node.config.checks import (
    address,
    bank_address,
    bank_code,
    bank_handle,
    bank_list,
    bank_port,
    cap_list,
    choice,
    currency_code,
    flag,
    folder_path,
    follow_address,
    live,
    one_of,
    operator_port,
    pause,
    peer_list,
    probability,
    rate_list,
    seconds,
    store_url,
    subnet_list,
    whole,
    zone_name,
)
from bank_node.config.crash_points import CRASH_POINTS
from bank_node.values import AMOUNT_MAX


class Network(Struct, frozen=True, forbid_unknown_fields=True):
    """How this bank meets its clients and the other banks."""

    host: Annotated[
        str, bank_address("Address to listen on, which is also the code of this bank.")
    ] = "127.0.0.1"
    code: Annotated[
        str, bank_code('Code of the bank that several nodes serve together; "" = network.host.')
    ] = ""
    port: Annotated[
        int, bank_port("Port to listen on; classic peers look at 65525-65535, 0 = any free (labs).")
    ] = 65525
    timeout: Annotated[
        float,
        seconds(
            "Seconds to a reply: of this bank to its clients, of other banks to it.", highest=3600
        ),
    ] = 5.0
    client_time_out: Annotated[
        float, seconds("Seconds that a client may stay silent before it is disconnected.")
    ] = 600.0
    line_time_out: Annotated[
        float, seconds("Seconds that one line has to arrive whole; people type by hand.")
    ] = 60.0
    scan_processes: Annotated[
        int, live(whole("Addresses that a scan of the network tries at once.", 1, 4096))
    ] = 256
    scan_time_out: Annotated[
        float, live(seconds("Seconds that a scan waits for one address.", highest=3600))
    ] = 0.5
    scan_every: Annotated[
        float,
        live(pause("Seconds between scans, more while nothing changes; 0 = scan on demand only.")),
    ] = 60.0
    witness_every: Annotated[
        float,
        pause("Seconds between visits to the ledgers of other banks as their witness; 0 = none."),
    ] = 60.0
    scan_rate: Annotated[
        int, live(whole("Addresses a second of a scan, after the first 256 at once.", 1, 100_000))
    ] = 200
    scan_addresses_max: Annotated[
        int, live(whole("Addresses that one scan visits at most.", 1, 16_777_216))
    ] = 65_536
    subnets: Annotated[
        tuple[str, ...],
        live(subnet_list("Subnets to scan for banks; [] = the /24 of the own address.")),
    ] = ()
    peers: Annotated[
        tuple[str, ...], live(peer_list("Banks known in advance, as address or address:port."))
    ] = ()
    io_threads: Annotated[int, whole("Threads that carry the connections.", 1, 64)] = 1
    connections_max: Annotated[
        int, whole("Connections open at once; the next one is refused.", 1, 1_000_000)
    ] = 12_000


class Store(Struct, frozen=True, forbid_unknown_fields=True):
    """Where the ledger is kept."""

    url: Annotated[
        str, store_url('URL of the database; "" = an SQLite file in the data folder.')
    ] = ""


class Limits(Struct, frozen=True, forbid_unknown_fields=True):
    """What a node takes on at once, so that a flood cannot exhaust it."""

    requests_in_flight: Annotated[
        int, whole("Unanswered requests of one connection.", 1, 1_000_000)
    ] = 1024
    requests_queued: Annotated[
        int, whole("Unanswered requests in the whole node.", 1, 100_000_000)
    ] = 200_000
    write_buffer_bytes: Annotated[
        int, whole("Bytes of replies that one slow reader may leave unread.", 4096, 2**30)
    ] = 1_048_576
    batch_operations: Annotated[int, whole("Operations sealed into one block.", 1, 1_000_000)] = (
        4096
    )


class Log(Struct, frozen=True, forbid_unknown_fields=True):
    """What is written down about the work of the node."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        live(
            choice("The least serious message that is logged.", "debug", "info", "warning", "error")
        ),
    ] = "info"
    traffic: Annotated[bool, live(flag("Log every command and its reply."))] = True
    format: Annotated[
        Literal["text", "json"], choice("Form of one line of the log.", "text", "json")
    ] = "text"
    file_bytes: Annotated[
        int, whole("Size in bytes at which a new log file is begun.", 4096, 2**40)
    ] = 67_108_864
    files_kept: Annotated[int, whole("Full log files that are kept.", 1, 10_000)] = 5
    folder: Annotated[
        str, folder_path('Folder of the log files; "" = "log" in the data folder.')
    ] = ""


class Operator(Struct, frozen=True, forbid_unknown_fields=True):
    """The entrance for the operator's tools."""

    enabled: Annotated[bool, flag("Let the operator's tools connect.")] = True
    host: Annotated[str, address("Address on which operators connect.")] = "127.0.0.1"
    port: Annotated[int, operator_port("Port on which operators connect; 0 = any free one.")] = (
        65500
    )
    read_only: Annotated[
        bool, live(flag("Let operators look, and refuse them everything that changes something."))
    ] = False


class Protocol(Struct, frozen=True, forbid_unknown_fields=True):
    """What this bank speaks."""

    extensions: Annotated[bool, flag("Offer commands beyond those of the classic protocol.")] = True


class Replication(Struct, frozen=True, forbid_unknown_fields=True):
    """Several nodes that keep one bank."""

    follow: Annotated[
        str, follow_address('Node to follow, as address:port; "" = this node leads its bank.')
    ] = ""
    wait_for: Annotated[
        int, whole("Followers that must have a change on disk before it is acknowledged.", 0, 16)
    ] = 0


class Robbery(Struct, frozen=True, forbid_unknown_fields=True):
    """How a robbery is planned."""

    objective: Annotated[
        Literal["fewest", "closest"],
        live(
            choice(
                "Prefer robbing the fewest clients, or coming closest to the sum.",
                "fewest",
                "closest",
            )
        ),
    ] = "fewest"


class Transfers(Struct, frozen=True, forbid_unknown_fields=True):
    """Money between this bank and others."""

    debit_cap: Annotated[
        int,
        live(
            whole(
                "What one bank may owe another one; more is refused. The largest is no limit.",
                0,
                AMOUNT_MAX,
            )
        ),
    ] = AMOUNT_MAX
    debit_caps: Annotated[
        tuple[str, ...], live(cap_list("Banks with a debit cap of their own, as address=amount."))
    ] = ()


class Payments(Struct, frozen=True, forbid_unknown_fields=True):
    """Payments of people and shops; amounts are in units, 100 of which are 1.00."""

    handle: Annotated[
        str, bank_handle('End of the payment addresses of this bank; "" = made of its code.')
    ] = ""
    currency: Annotated[
        str, currency_code("Currency of this bank, ISO 4217 with two decimals.")
    ] = "CZK"
    rates: Annotated[
        tuple[str, ...],
        rate_list("What 1 of other currencies costs in that of this bank; without one, no trade."),
    ] = ()
    pin_profile: Annotated[
        Literal["standard", "light"],
        choice(
            "Cost of a PIN check: 50 ms, or next to nothing for load tests.", "standard", "light"
        ),
    ] = "standard"
    pins_in_the_open: Annotated[
        bool, flag("Take PINs over connections that others can read (labs only).")
    ] = False
    per_payment: Annotated[int, whole("Units that one payment may move.", 1, 2**63 - 1)] = (
        10_000_000
    )
    per_day: Annotated[int, whole("Units that a client may spend in a day.", 1, 2**63 - 1)] = (
        10_000_000
    )
    new_client: Annotated[
        int, whole("Units that a client may spend in its first 24 hours.", 1, 2**63 - 1)
    ] = 500_000
    merchant_per_day: Annotated[
        int, whole("Units that a merchant may be paid in a day; 0 = any sum.", 0, 2**63 - 1)
    ] = 0
    time_zone: Annotated[
        str, zone_name('Time zone that days begin in for limits and mandates; "" = the machine\'s.')
    ] = ""
    per_minute: Annotated[int, whole("Payments of a client in a minute.", 1, 1_000_000)] = 30
    asking: Annotated[
        Literal["everybody", "merchants", "nobody"],
        choice("Who may ask others for money.", "everybody", "merchants", "nobody"),
    ] = "merchants"
    asking_s: Annotated[
        int, whole("Seconds that a request for money waits for an answer.", 1, 30 * 86_400)
    ] = 1800
    mandate_notice_s: Annotated[
        int,
        whole("Seconds between telling of a mandate's payment and making it.", 0, 30 * 86_400),
    ] = 86_400
    mandate_unasked: Annotated[
        int, whole("Units that a mandate pays without asking each time.", 0, 2**63 - 1)
    ] = 1_500_000
    mandate_retries: Annotated[
        int, whole("Times that a mandate's failed payment is tried again.", 0, 100)
    ] = 9
    mandate_retry_s: Annotated[
        int, whole("Seconds between tries of a mandate's payment.", 1, 86_400)
    ] = 7200
    dispute_days: Annotated[
        int, whole("Days after a payment in which its payer may dispute it.", 0, 3650)
    ] = 45
    dispute_answer_s: Annotated[
        int, whole("Seconds that a payee has to answer a dispute, or it is lost.", 1, 365 * 86_400)
    ] = 7 * 86_400
    dispute_decide_s: Annotated[
        int,
        whole("Seconds to decide a contested dispute; then it is rejected.", 1, 365 * 86_400),
    ] = 14 * 86_400
    dispute_retry_s: Annotated[
        int, whole("Seconds between tries to take what a dispute gives back.", 1, 30 * 86_400)
    ] = 3600
    dispute_ask_s: Annotated[
        int, whole("Seconds at most until another bank is asked or told again.", 1, 86_400)
    ] = 300


class Faults(Struct, frozen=True, forbid_unknown_fields=True):
    """What goes wrong on purpose, so that one can watch the bank get over it."""

    enabled: Annotated[bool, flag("Let the faults below happen; never with a public address.")] = (
        False
    )
    drop: Annotated[
        float, live(probability("How likely a line about transfers, or its answer, is lost."))
    ] = 0.0
    delay: Annotated[float, live(probability("How likely such a line is late."))] = 0.0
    delay_s: Annotated[float, live(pause("Seconds that it is late at most."))] = 1.0
    duplicate: Annotated[float, live(probability("How likely such a line is sent twice."))] = 0.0
    reorder: Annotated[
        float,
        live(probability("How likely such a line waits until the next one has overtaken it.")),
    ] = 0.0
    cut: Annotated[
        tuple[str, ...],
        live(bank_list("Banks whose cable is pulled: no line about transfers leaves for them.")),
    ] = ()
    seed: Annotated[
        int, whole("Which chances are drawn; the same again for the same seed.", 0, 2**32)
    ] = 0
    crash_at: Annotated[
        str,
        one_of(
            'Point at which the node kills itself; "" = none, docs/faults.md has all others.',
            CRASH_POINTS,
            f'"" or a point that docs/faults.md lists, such as "{CRASH_POINTS[1]}"',
        ),
    ] = ""
    crash_after: Annotated[
        int, whole("How often it passes that point before it does.", 0, 1_000_000)
    ] = 0


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of one node."""

    language: Annotated[
        Literal["en", "cs"],
        live(choice("Language of the messages: English or Czech.", "en", "cs")),
    ] = "en"
    data: Annotated[str, folder_path('The data folder; "" = the one of the user\'s account.')] = ""
    network: Network = field(default_factory=Network)
    store: Store = field(default_factory=Store)
    limits: Limits = field(default_factory=Limits)
    log: Log = field(default_factory=Log)
    operator: Operator = field(default_factory=Operator)
    protocol: Protocol = field(default_factory=Protocol)
    replication: Replication = field(default_factory=Replication)
    robbery: Robbery = field(default_factory=Robbery)
    transfers: Transfers = field(default_factory=Transfers)
    payments: Payments = field(default_factory=Payments)
    faults: Faults = field(default_factory=Faults)
