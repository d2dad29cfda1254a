"""The message catalogue: every sentence that the wire tells people, in each language.

A reply is one line, so a sentence is too. Placeholders are named; both languages of a message
have the same ones (tested). The Czech texts read like the examples of the classic protocol.
"""

from bank_node.errors import Reason, Refused
from bank_node.protocol.commands import COMMANDS, Command

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
    Reason.NOT_FORWARDED: (
        "Accounts of another bank can be removed only there, AR is not forwarded.",
        "Účet jiné banky lze smazat jen v ní, příkaz AR se nepředává.",
    ),
    Reason.NO_NETWORK: (
        "The account belongs to the bank {bank}, and this bank is {own} and works alone.",
        "Účet patří bance {bank}, tato banka je {own} a pracuje samostatně.",
    ),
    Reason.NO_SUCH_ACCOUNT: (
        "There is no such account.",
        "Takový účet neexistuje.",
    ),
    Reason.NO_FREE_ACCOUNT: (
        "All account numbers of this bank are taken.",
        "Naše banka nyní neumožňuje založení nového účtu.",
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
}

_CZECH_SUMMARIES = {
    "BC": "Kód banky: adresa, která tuto banku pojmenovává.",
    "AC": "Založení účtu: otevře účet se zůstatkem 0.",
    "AD": "Vklad: přidá peníze na účet.",
    "AW": "Výběr: odebere peníze z účtu.",
    "AB": "Zůstatek účtu.",
    "AR": "Smazání účtu: zruší účet se zůstatkem 0.",
    "BA": "Celková částka: součet všech klientských účtů.",
    "BN": "Počet klientů: kolik účtů je otevřeno.",
    "HE": "Nápověda: všechny příkazy, nebo jak se jeden z nich píše.",
    "VE": "Verze: jméno, verze a schopnosti tohoto uzlu.",
    "QU": "Konec: rozloučí se a uzavře spojení.",
}

_COMMAND_LIST = ("Commands: {codes}. HE <code> explains one.",
                 "Příkazy: {codes}. HE <kód> vysvětlí jeden z nich.")  # fmt: skip


class Catalogue:
    """The sentences of one language."""

    def __init__(self, language: str) -> None:
        """Raises ValueError for a language that is not in LANGUAGES."""
        self.language = language
        self._column = LANGUAGES.index(language)

    def error(self, refused: Refused) -> str:
        """The whole `ER` reply for a refusal."""
        sentence = _ERRORS[refused.reason][self._column]
        return f"ER {sentence.format_map(refused.details)}"

    def error_sentence(self, reason: Reason) -> str:
        """The sentence of a reason, with its placeholders as they stand in the catalogue."""
        return _ERRORS[reason][self._column]

    def summary(self, command: Command) -> str:
        """What a command does, in one sentence."""
        return command.summary if self.language == "en" else _CZECH_SUMMARIES[command.code]

    def command_list(self, codes: list[str]) -> str:
        """The sentence that lists the commands."""
        return _COMMAND_LIST[self._column].format(codes=" ".join(codes))


def missing_translations() -> set[str]:
    """Reasons and commands without a sentence; empty when the catalogue is complete."""
    reasons = {reason.value for reason in Reason if reason not in _ERRORS}
    return reasons | (set(COMMANDS) - set(_CZECH_SUMMARIES))
