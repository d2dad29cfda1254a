"""What the wire tells people of transfers that are refused, in English and in Czech."""

from bank_node.errors import Reason

TRANSFER_ERRORS: dict[Reason, tuple[str, str]] = {
    Reason.NO_SUCH_PAYEE: (
        "There is no account to pay to.",
        "Účet příjemce neexistuje.",
    ),
    Reason.SAME_ACCOUNT: (
        "Payer and payee are the same account.",
        "Plátce a příjemce jsou tentýž účet.",
    ),
    Reason.ACCOUNT_IN_TRANSFER: (
        "A transfer of this account is not finished, it cannot be removed yet.",
        "Převod tohoto účtu není dokončen, účet zatím nelze smazat.",
    ),
    Reason.DEBIT_CAP: (
        "One of the two banks would owe the other one more than it may.",
        "Jedna z obou bank by druhé dlužila víc, než smí.",
    ),
    Reason.TOO_MANY_PROMISES: (
        "The bank {bank} has made all the promises that it makes to one bank at a time.",
        "Banka {bank} dala této bance všechny sliby, které jedné bance najednou dává.",
    ),
    Reason.TRANSFER_ID_FORMAT: (
        "A transfer id is 1 to 36 letters, digits, points, hyphens and underscores.",
        "Označení převodu má 1 až 36 písmen bez diakritiky, číslic, teček, pomlček a podtržítek.",
    ),
    Reason.TRANSFER_ID_TAKEN: (
        "This transfer id belongs to another transfer, nothing was booked.",
        "Toto označení patří jinému převodu, nic nebylo zaúčtováno.",
    ),
    Reason.TRANSFER_MESSAGE_FORMAT: (
        "The messages about transfers are not in form.",
        "Zprávy o převodech nemají správný tvar.",
    ),
    Reason.BANK_REFUSED: (
        "The bank {bank} refused the deposit, nothing was booked.",
        "Banka {bank} vklad odmítla, nic nebylo zaúčtováno.",
    ),
    Reason.NOT_SIGNED: (
        "The messages are not signed with the key that is known of the bank {bank}.",
        "Zprávy nejsou podepsány klíčem, který známe od banky {bank}.",
    ),
    Reason.MESSAGES_REFUSED: (
        "The bank {bank} refuses what this bank says about transfers, nothing was booked.",
        "Banka {bank} odmítá, co jí tato banka o převodech říká, nic nebylo zaúčtováno.",
    ),
    Reason.ANSWER_NOT_SIGNED: (
        "The bank {bank} answers without the signature of its known key, nothing was booked.",
        "Banka {bank} odpovídá bez podpisu svého známého klíče, nic nebylo zaúčtováno.",
    ),
    Reason.TRANSFER_PENDING: (
        "The transfer is not decided yet, ask again with TS {id}.",
        "O převodu ještě není rozhodnuto, zeptejte se znovu: TS {id}.",
    ),
    Reason.TRANSFER_UNKNOWN: (
        "The bank {bank} did not answer, whether the transfer {id} was carried out is unknown, "
        "its money stays set aside.",
        "Banka {bank} neodpověděla, není známo, zda byl převod {id} proveden, "
        "jeho peníze zůstávají stranou.",
    ),
    Reason.NO_SUCH_TRANSFER: (
        "There is no such transfer.",
        "Takový převod neexistuje.",
    ),
    Reason.TRANSFER_UNDECIDED: (
        "The transfer has not been decided yet.",
        "O převodu ještě není rozhodnuto.",
    ),
    Reason.NOT_IN_DOUBT: (
        "The transfer is not in doubt, it goes on by itself.",
        "Převod není sporný, pokračuje sám.",
    ),
    Reason.NO_SUCH_KEY: (
        "The bank {bank} has no such key.",
        "Banka {bank} takový klíč nemá.",
    ),
    Reason.TRANSFER_COMMITTED: (
        "The transfer has been committed already.",
        "Převod už byl proveden.",
    ),
    Reason.TRANSFER_ABORTED: (
        "The transfer was given up, nothing was booked.",
        "Převod byl zrušen, nic nebylo zaúčtováno.",
    ),
}
