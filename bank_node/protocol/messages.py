"""The message catalogue: every sentence that the wire tells people, in each language.

A reply is one line, so a sentence is too. Placeholders are named; both languages of a message
have the same ones (tested). The Czech texts read like the examples of the classic protocol.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from bank_node.errors import Reason, Refused
from bank_node.protocol.commands import Command
from bank_node.protocol.payment_messages import PAYMENT_ERRORS, PAYMENT_SUMMARIES
from bank_node.protocol.summaries import CZECH_SUMMARIES
from bank_node.protocol.transfer_sentences import TRANSFER_ERRORS

LANGUAGES = ("en", "cs")

_ERRORS: dict[Reason, tuple[str, str]] = {
    Reason.UNKNOWN_COMMAND: (
        "Unknown command.",
        "Neznámý příkaz.",
    ),
    Reason.LINE_TOO_LONG: (
        "The line is longer than 1024 bytes.",
        "Řádek je delší než 1024 bajtů.",
    ),
    Reason.NOT_TEXT: (
        "The line is not valid UTF-8 text.",
        "Řádek není platný text v UTF-8.",
    ),
    Reason.ARGUMENT_COUNT: (
        "Wrong number of arguments, expected: {usage}.",
        "Nesprávný počet argumentů, očekává se: {usage}.",
    ),
    Reason.ACCOUNT_FORMAT: (
        "The account must be written <10000-99999>/<ip>.",
        "Formát čísla účtu není správný, má být <10000-99999>/<ip>.",
    ),
    Reason.AMOUNT_FORMAT: (
        "The amount must be a whole number from 0 to 9223372036854775807.",
        "Částka není ve správném formátu, má být celé číslo od 0 do 9223372036854775807.",
    ),
    Reason.CODE_FORMAT: (
        "A command code is two letters.",
        "Kód příkazu jsou dvě písmena.",
    ),
    Reason.POSITION_FORMAT: (
        "A place in the ledger is a whole number from 1 to 9223372036854775807.",
        "Místo v účetní knize je celé číslo od 1 do 9223372036854775807.",
    ),
    Reason.FIELD_FORMAT: (
        "The field {field}= must be {expected}.",
        "Pole {field}= má být: {expected}.",
    ),
    Reason.FIELD_UNKNOWN: (
        "There is no {field}, expected: {usage}.",
        "Pole {field} neexistuje, očekává se: {usage}.",
    ),
    Reason.FIELD_TWICE: (
        "The field {field}= is given twice.",
        "Pole {field}= je zadáno dvakrát.",
    ),
    Reason.FIELD_MISSING: (
        "The field {field}= is missing, expected: {usage}.",
        "Chybí {field}=, očekává se: {usage}.",
    ),
    Reason.TOKEN_FIRST: (
        "Say OA <token> first; the token is in the file operator.token of the data folder.",
        "Nejdříve OA <token>; token je v souboru operator.token v datové složce.",
    ),
    Reason.TOKEN_WRONG: (
        "The token is wrong.",
        "Chybný token.",
    ),
    Reason.LOCKED_OUT: (
        "Too many wrong tokens from your address, try again in a minute.",
        "Příliš mnoho chybných tokenů z vaší adresy, zkuste to za minutu.",
    ),
    Reason.READ_ONLY: (
        "Operators may only look, operator.read_only is set.",
        "Operátor se smí jen dívat, je nastaveno operator.read_only.",
    ),
    Reason.DRAINING: (
        "The bank is being drained and takes no new work, nothing was booked.",
        "Banka se připravuje na odstávku a nepřijímá novou práci, nic nebylo zaúčtováno.",
    ),
    Reason.NOT_LIVE: (
        "The setting {key} can be changed only in the settings file, for the next start.",
        "Nastavení {key} lze změnit jen v souboru nastavení, pro příští spuštění.",
    ),
    Reason.SETTING_WRONG: (
        "The setting is wrong: {problem}.",
        "Chybné nastavení: {problem}.",
    ),
    Reason.REPLY_TOO_LONG: (
        "The reply would be longer than 4 MiB, ask for less at once.",
        "Odpověď by byla delší než 4 MiB, žádejte méně najednou.",
    ),
    Reason.NO_SUCH_BLOCK: (
        "There is no such block.",
        "Takový blok neexistuje.",
    ),
    Reason.ALREADY_RUNNING: (
        "It is running already.",
        "Už to běží.",
    ),
    Reason.NOT_HERE: (
        "This node cannot do that: {why}.",
        "Tento uzel to neumí: {why}.",
    ),
    Reason.WORD_FORMAT: (
        "A word of the command is not of the right form.",
        "Slovo příkazu nemá správný tvar.",
    ),
    Reason.NOT_FORWARDED: (
        "Accounts of another bank can be removed only there, AR is not forwarded.",
        "Účet jiné banky lze smazat jen v ní, příkaz AR se nepředává.",
    ),
    Reason.OUT_OF_REACH: (
        "The bank {bank} is outside of the network that this bank, {own}, works with.",
        "Banka {bank} je mimo síť, se kterou tato banka, {own}, pracuje.",
    ),
    Reason.NOT_OURS: (
        "The account belongs to the bank {bank}; this bank is {own} and asks nobody else.",
        "Účet patří bance {bank}; tato banka je {own} a nikoho dalšího se neptá.",
    ),
    Reason.BANK_NOT_FOUND: (
        "No bank answers at {bank}.",
        "Na adrese {bank} žádná banka neodpovídá.",
    ),
    Reason.BANK_SILENT: (
        "The bank {bank} did not answer, nothing was booked.",
        "Banka {bank} neodpověděla, nic nebylo zaúčtováno.",
    ),
    Reason.BANK_BUSY: (
        "Too many requests wait for the bank {bank}, nothing was booked.",
        "Na banku {bank} čeká příliš mnoho požadavků, nic nebylo zaúčtováno.",
    ),
    Reason.BANK_OUTCOME_UNKNOWN: (
        "The bank {bank} did not answer, the outcome is unknown, "
        "check the balance before you try again.",
        "Banka {bank} neodpověděla, výsledek není znám, před opakováním zkontrolujte zůstatek.",
    ),
    Reason.TARGET_TOO_HIGH: (
        "The whole network holds only {holds}, banks counted: {banks}.",
        "V celé síti je jen {holds}, započítaných bank: {banks}.",
    ),
    Reason.NO_SUCH_ACCOUNT: (
        "There is no such account.",
        "Takový účet neexistuje.",
    ),
    Reason.NO_FREE_ACCOUNT: (
        "All account numbers of this bank are taken.",
        "Naše banka nyní neumožňuje založení nového účtu.",
    ),
    Reason.NO_SUCH_ENTRY: (
        "There is no such entry.",
        "Takový záznam neexistuje.",
    ),
    Reason.NO_SUCH_SIZE: (
        "The ledger has {blocks} blocks, and the first size must not be above the second.",
        "Účetní kniha má {blocks} bloků a první velikost nesmí být větší než druhá.",
    ),
    Reason.NO_SUCH_HEAD: (
        "This bank has not seen the ledger of the bank {bank}.",
        "Tato banka neviděla účetní knihu banky {bank}.",
    ),
    Reason.INSUFFICIENT_FUNDS: (
        "There is not enough money in the account.",
        "Není dostatek finančních prostředků.",
    ),
    Reason.ACCOUNT_LIMIT: (
        "The account cannot hold that much money.",
        "Na účet se taková částka nevejde.",
    ),
    Reason.BANK_LIMIT: (
        "The bank cannot hold that much money.",
        "Do banky se taková částka nevejde.",
    ),
    Reason.ACCOUNT_NOT_EMPTY: (
        "An account with money in it cannot be removed.",
        "Nelze smazat bankovní účet na kterém jsou finance.",
    ),
    Reason.TOO_BUSY: (
        "The bank is too busy, nothing was booked, please try again.",
        "Banka je přetížena, nic nebylo zaúčtováno, zkuste to znovu.",
    ),
    Reason.STOPPING: (
        "The bank is stopping, nothing was booked.",
        "Banka ukončuje provoz, nic nebylo zaúčtováno.",
    ),
    Reason.STORE_FULL: (
        "The disk of the bank is full, nothing was booked.",
        "Disk banky je plný, nic nebylo zaúčtováno.",
    ),
    Reason.STORE_FAILED: (
        "The storage of the bank has failed, nothing was booked.",
        "Úložiště banky selhalo, nic nebylo zaúčtováno.",
    ),
    Reason.STORE_AWAY: (
        "The database of the bank cannot be reached, nothing was booked.",
        "Databáze banky není dostupná, nic nebylo zaúčtováno.",
    ),
    Reason.NOT_LEADER: (
        "This node of the bank takes no changes, the one at {leader} does.",
        "Tento uzel banky změny nepřijímá, přijímá je uzel na adrese {leader}.",
    ),
    Reason.NOT_THIS_BANK: (
        "That is not signed with the key of the bank {bank}.",
        "To není podepsáno klíčem banky {bank}.",
    ),
    Reason.HISTORIES_PART: (
        "The ledger of the follower has a block {height} that this one does not have.",
        "Účetní kniha následovníka má blok {height}, který v této není.",
    ),
    Reason.NO_FOLLOWER: (
        "This node does not follow another one.",
        "Tento uzel nenásleduje žádný jiný.",
    ),
    Reason.FOLLOWER_FAILED: (
        "This node could not keep what it followed, it can be promoted after a new start.",
        "Tento uzel neuložil, co následoval, povýšit jej lze až po novém spuštění.",
    ),
    Reason.TIMED_OUT: (
        "The bank did not answer in time.",
        "Banka neodpověděla včas.",
    ),
    Reason.OUTCOME_UNKNOWN: (
        "The outcome is unknown, check the balance before you try again.",
        "Výsledek není znám, před opakováním zkontrolujte zůstatek.",
    ),
    Reason.INTERNAL: (
        "An internal error of the bank.",
        "Vnitřní chyba banky.",
    ),
    Reason.TOO_MANY_CONNECTIONS: (
        "The bank has too many connections.",
        "Banka má příliš mnoho spojení.",
    ),
    **TRANSFER_ERRORS,
}
_ERRORS |= PAYMENT_ERRORS
_CZECH_SUMMARIES = CZECH_SUMMARIES | PAYMENT_SUMMARIES

_COMMAND_LIST = ("Commands: {codes}. HE <code> explains one.",
                 "Příkazy: {codes}. HE <kód> vysvětlí jeden z nich.")  # fmt: skip

# A robbery plan, put together from: nothing to do, one bank or several, what it costs, and how
# far from the best it can be where that could not be proven in time.
_NO_ROBBERY = ("To reach {target} no bank needs to be robbed.",
               "K dosažení {target} není třeba vyloupit žádnou banku.")  # fmt: skip
_ROB_ONE = ("To reach {target} the bank {banks} is to be robbed",
            "K dosažení {target} je třeba vyloupit banku {banks}")  # fmt: skip
_ROB_MANY = ("To reach {target} the banks {banks} are to be robbed",
             "K dosažení {target} je třeba vyloupit banky {banks}")  # fmt: skip
_HARMED = (
    (" and only {clients} clients are harmed", " a bude poškozeno jen {clients} klientů"),
    (" and only 1 client is harmed", " a bude poškozen jen 1 klient"),
    (" and only {clients} clients are harmed", " a budou poškozeni jen {clients} klienti"),
)
# Czech counts one, two to four, and all the rest each in its own way.
_HOW_MANY = {1: 1, 2: 2, 3: 2, 4: 2}
_TAKEN = ("; {amount} is taken.", ", získáno bude {amount}.")
_NOT_PROVEN = (
    " There was no time to prove that this is the best plan: at most {clients} fewer clients and "
    "{distance} closer to the amount are possible.",
    " Na důkaz, že je to nejlepší plán, nezbyl čas: ušetřit lze nejvýše {clients} klientů a být "
    "blíž k částce nejvýše o {distance}.",
)
_AND = (" and ", " a ")
_AND_MORE = (" and {more} more", " a další ({more})")


_AS_THEY_ARE: Mapping[Reason, Reason] = MappingProxyType({})


class Catalogue:
    """The sentences of one language."""

    def __init__(self, language: str, instead: Mapping[Reason, Reason] = _AS_THEY_ARE) -> None:
        """`instead` names reasons that are told in the words of others.

        Raises ValueError for a language that is not in LANGUAGES.
        """
        self._instead = instead
        self.language = language
        self._column = LANGUAGES.index(language)

    def error(self, refused: Refused) -> str:
        """The whole `ER` reply for a refusal."""
        sentence = self.error_sentence(refused.reason)
        return f"ER {sentence.format_map(refused.details)}"

    def error_sentence(self, reason: Reason) -> str:
        """The sentence of a reason, with its placeholders as they stand in the catalogue."""
        return _ERRORS[self._instead.get(reason, reason)][self._column]

    def summary(self, command: Command) -> str:
        """What a command does, in one sentence."""
        return command.summary if self.language == "en" else _CZECH_SUMMARIES[command.code]

    def robbery(
        self,
        *,
        target: int,
        addresses: Sequence[str],
        more: int,
        clients: int,
        amount: int,
        slack: tuple[int, int] | None,
    ) -> str:
        """The sentence of a robbery plan.

        `more` banks are in the plan beyond those in `addresses`. `slack` is how many clients and
        how much distance the best plan may save, None when this is proven to be the best.
        """
        column = self._column
        if not addresses:
            return _NO_ROBBERY[column].format(target=target)
        verb = _ROB_ONE if len(addresses) + more == 1 else _ROB_MANY
        harmed = _HARMED[_HOW_MANY.get(clients, 0)][column].format(clients=clients)
        text = verb[column].format(target=target, banks=self._listed(addresses, more))
        text += harmed + _TAKEN[column].format(amount=amount)
        if slack is not None:
            text += _NOT_PROVEN[column].format(clients=slack[0], distance=slack[1])
        return text

    def _listed(self, addresses: Sequence[str], more: int) -> str:
        if more:
            return ", ".join(addresses) + _AND_MORE[self._column].format(more=more)
        *first, last = addresses
        return _AND[self._column].join(filter(None, (", ".join(first), last)))

    def command_list(self, codes: list[str]) -> str:
        """The sentence that lists the commands."""
        return _COMMAND_LIST[self._column].format(codes=" ".join(codes))
