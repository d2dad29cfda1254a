"""The sentences of payments in each language: a part of the message catalogue.

A sentence that begins with two or three characters and a colon names the response code that the
payment world uses for it.
"""

from bank_node.errors import Reason

PAYMENT_ERRORS: dict[Reason, tuple[str, str]] = {
    Reason.VPA_FORMAT: (
        "A payment address is written <name>@<handle>.",
        "Platební adresa se píše <jméno>@<banka>.",
    ),
    Reason.MOBILE_FORMAT: (
        "A mobile number is 6 to 15 digits with the prefix of its country.",
        "Číslo mobilu je 6 až 15 číslic s předvolbou země.",
    ),
    Reason.PIN_FORMAT: (
        "A PIN is 4 or 6 digits.",
        "PIN jsou 4 nebo 6 číslic.",
    ),
    Reason.PIN_TOO_EASY: (
        "This PIN is too easy to guess.",
        "Tento PIN lze snadno uhodnout.",
    ),
    Reason.CATEGORY_FORMAT: (
        "A merchant category is 4 digits, and not 0000.",
        "Kategorie obchodníka jsou 4 číslice, a ne 0000.",
    ),
    Reason.REFERENCE_FORMAT: (
        "A reference is 1 to 35 letters, digits, points, hyphens and underscores.",
        "Reference je 1 až 35 písmen, číslic, teček, pomlček a podtržítek.",
    ),
    Reason.PAYMENT_ID_FORMAT: (
        "A payment id is 3 capital letters and 32 hexadecimal digits.",
        "Číslo platby jsou 3 velká písmena a 32 šestnáctkových číslic.",
    ),
    Reason.PAYMENT_AMOUNT: (
        "The amount must be a whole number from 1 to 9223372036854775807.",
        "Částka musí být celé číslo od 1 do 9223372036854775807.",
    ),
    Reason.TEXT_FORMAT: (
        "A text is one word of 1 to 50 characters, with + for each blank.",
        "Text je jedno slovo o 1 až 50 znacích, místo mezer má +.",
    ),
    Reason.PAYEE_FORMAT: (
        "A payee is written <name>@<handle>, <account>/<ip> or <mobile>:<mmid>.",
        "Příjemce se píše <jméno>@<banka>, <účet>/<ip> nebo <mobil>:<mmid>.",
    ),
    Reason.URI_REFUSED: (
        "This code must not be paid, because of its part {part}.",
        "Tento kód nelze zaplatit kvůli jeho části {part}.",
    ),
    Reason.UNPROTECTED: (
        "A PIN must not travel over this connection, others can read it.",
        "PIN nesmí putovat tímto spojením, mohou ho číst jiní.",
    ),
    Reason.ACCOUNT_GUARDED: (
        "This account pays with a PIN only.",
        "Z tohoto účtu se platí jen s PINem.",
    ),
    Reason.NO_SUCH_MERCHANT: (
        "There is no such merchant.",
        "Takový obchodník neexistuje.",
    ),
    Reason.NO_SUCH_ADDRESS: (
        "U29: There is no such payment address.",
        "U29: Taková platební adresa neexistuje.",
    ),
    Reason.NO_SUCH_PROVIDER: (
        "U17: No known bank has the handle {handle}.",
        "U17: Žádná známá banka nemá označení {handle}.",
    ),
    Reason.VPA_TAKEN: (
        "This address, or one that looks like it, is taken.",
        "Tato adresa, nebo jí podobná, je zabraná.",
    ),
    Reason.VPA_FOREIGN: (
        "The addresses of this bank end with @{handle}.",
        "Adresy této banky končí @{handle}.",
    ),
    Reason.WRONG_PIN: (
        "ZM: The address or the PIN is wrong.",
        "ZM: Adresa nebo PIN není správně.",
    ),
    Reason.PIN_LOCKED: (
        "Z6: Too many wrong PINs, the account takes none for now.",
        "Z6: Příliš mnoho chybných PINů, účet teď žádný nepřijímá.",
    ),
    Reason.FROZEN: (
        "YE: The account is frozen.",
        "YE: Účet je zmrazený.",
    ),
    Reason.PAYEE_FROZEN: (
        "YF: The account of the payee is frozen.",
        "YF: Účet příjemce je zmrazený.",
    ),
    Reason.NOT_ENOUGH_MONEY: (
        "Z9: There is not enough money in the account.",
        "Z9: Na účtu není dost peněz.",
    ),
    Reason.LIMIT_OF_PAYMENT: (
        "Z8: The amount is above the limit of one payment.",
        "Z8: Částka je nad limitem jedné platby.",
    ),
    Reason.LIMIT_OF_DAY: (
        "ZU: The amount is above what is left of the limit of the day.",
        "ZU: Částka je nad zbytkem denního limitu.",
    ),
    Reason.LIMIT_OF_NEW_CLIENT: (
        "U02: The amount is above the limit of the first 24 hours.",
        "U02: Částka je nad limitem prvních 24 hodin.",
    ),
    Reason.LIMIT_OF_MERCHANT: (
        "U02: The merchant may not be paid so much in one day.",
        "U02: Obchodník nesmí za jeden den dostat tolik.",
    ),
    Reason.TOO_MANY_PAYMENTS: (
        "Z7: Too many payments in one minute.",
        "Z7: Příliš mnoho plateb za minutu.",
    ),
    Reason.REFERENCE_TAKEN: (
        "U01: This reference belongs to another request, nothing was booked.",
        "U01: Tato reference patří jinému požadavku, nic nebylo zaúčtováno.",
    ),
    Reason.NOT_REFUNDABLE: (
        "This payment cannot be given back.",
        "Tuto platbu nelze vrátit.",
    ),
    Reason.REFUND_TOO_MUCH: (
        "More would be given back than was paid.",
        "Vrátilo by se víc, než bylo zaplaceno.",
    ),
    Reason.NOT_DISPUTABLE: (
        "This payment cannot be disputed.",
        "Tuto platbu nelze reklamovat.",
    ),
    Reason.DISPUTE_LATE: (
        "It is too late to dispute this payment.",
        "Na reklamaci této platby je pozdě.",
    ),
    Reason.DISPUTE_FORMAT: (
        "Say raise, evidence or contest and why, or accept or withdraw.",
        "Napište raise, evidence nebo contest a proč, anebo accept či withdraw.",
    ),
    Reason.TOO_MUCH_SAID: (
        "You have said enough about this dispute.",
        "K této reklamaci jste už řekli dost.",
    ),
    Reason.ASKING_OFF: (
        "This bank does not let you ask others for money.",
        "Tato banka vám nedovolí žádat jiné o peníze.",
    ),
    Reason.NO_SUCH_REQUEST: (
        "There is no such request that concerns you.",
        "Žádná taková žádost se vás netýká.",
    ),
    Reason.REQUEST_PENDING: (
        "The request has not been answered yet.",
        "Na žádost ještě nikdo neodpověděl.",
    ),
    Reason.REQUEST_DECLINED: (
        "ZA: The request was declined.",
        "ZA: Žádost byla odmítnuta.",
    ),
    Reason.REQUEST_EXPIRED: (
        "U69: The request has expired.",
        "U69: Žádost propadla.",
    ),
    Reason.REQUEST_OVER: (
        "The request is over already.",
        "Žádost už je vyřízená.",
    ),
    Reason.TERMS_CHANGED: (
        "Other terms than these wait for an answer.",
        "Na odpověď čekají jiné podmínky než tyto.",
    ),
    Reason.TOO_MANY_REQUESTS: (
        "Too many requests wait for this client.",
        "Na tohoto klienta čeká příliš mnoho žádostí.",
    ),
    Reason.RECURRENCE_FORMAT: (
        "A recurrence is onetime, daily, aspresented, or one with a day such as monthly:on:15.",
        "Opakování je onetime, daily, aspresented, nebo se dnem, třeba monthly:on:15.",
    ),
    Reason.DATE_FORMAT: (
        "A date is written <year>-<month>-<day>.",
        "Datum se píše <rok>-<měsíc>-<den>.",
    ),
    Reason.AMOUNT_RULE_FORMAT: (
        "Say exact or max.",
        "Napište exact (přesně) nebo max (nejvýš).",
    ),
    Reason.NO_SUCH_CLIENT: (
        "There is no such client.",
        "Takový klient neexistuje.",
    ),
    Reason.HELD_BY_BANK: (
        "The bank has frozen this account, only the bank lets it go on.",
        "Tento účet zmrazila banka a jen banka ho zase uvolní.",
    ),
    Reason.ANSWER_FORMAT: (
        "Say approve, decline, pause, resume or revoke.",
        "Napište approve, decline, pause, resume nebo revoke.",
    ),
    Reason.NO_SUCH_DAY: (
        "These terms leave no day to come.",
        "Tyto podmínky nenechávají žádný den, který teprve přijde.",
    ),
    Reason.AMOUNT_RULE: (
        "The mandate does not allow this amount.",
        "Příkaz tuto částku nedovoluje.",
    ),
    Reason.FROZEN_FORMAT: (
        "Say frozen or active.",
        "Napište frozen (zmrazit) nebo active (uvolnit).",
    ),
    Reason.SECONDS_FORMAT: (
        "A time is 1 to 2592000 seconds.",
        "Doba je 1 až 2592000 sekund.",
    ),
    Reason.TOO_MANY_ACCOUNTS: (
        "There are too many accounts under this mobile number.",
        "Pod tímto číslem mobilu je příliš mnoho účtů.",
    ),
    Reason.TOKEN_REFUSED: (
        "This token opens nothing, or not any more.",
        "Tento token nic neotvírá, nebo už ne.",
    ),
    Reason.PROVIDER_DOWN: (
        "U28: The bank of the payee does not answer, nothing was paid.",
        "U28: Banka příjemce neodpovídá, nic nebylo zaplaceno.",
    ),
    Reason.PROVIDER_APART: (
        "U28: The bank of the payee and this one do not accept each other's messages, nothing was "
        "paid.",
        "U28: Banka příjemce a tato banka si navzájem nepřijímají zprávy, nic nebylo zaplaceno.",
    ),
    Reason.PAYER_BANK_DOWN: (
        "U28: The bank of the payer does not answer, nothing was asked for.",
        "U28: Banka plátce neodpovídá, o nic nebylo požádáno.",
    ),
    Reason.PAYEE_CHANGED: (
        "U06: The address belongs to another account than a moment ago, nothing was paid.",
        "U06: Adresa patří jinému účtu než před chvílí, nic nebylo zaplaceno.",
    ),
    Reason.PAYMENT_PENDING: (
        "01: The payment is on its way; ask again under the same reference.",
        "01: Platba je na cestě; zeptejte se znovu pod stejnou referencí.",
    ),
    Reason.PAYMENT_REVERTED: (
        "U34: The payment was given up and the money is back.",
        "U34: Platba byla vzdána a peníze jsou zpět.",
    ),
    Reason.RISK: (
        "U16: The banks do not trust each other with so much.",
        "U16: Banky si tolik nevěří.",
    ),
    Reason.OTHER_CURRENCY: (
        "The bank of the payee keeps another currency, and there is no rate for it.",
        "Banka příjemce vede jinou měnu a není pro ni kurz.",
    ),
    Reason.NO_SUCH_PAYMENT: (
        "U48: There is no such payment.",
        "U48: Taková platba neexistuje.",
    ),
}

_UNNAMED = "U31"


def response_code(reason: Reason) -> str:
    """The response code of a refusal; U31, credit failed, for one that has no name of its own."""
    sentences = PAYMENT_ERRORS.get(reason)
    code, colon, _ = sentences[0].partition(": ") if sentences else ("", "", "")
    return code if colon and len(code) <= 3 else _UNNAMED


PAYMENT_SUMMARIES = {
    "PU": "Platby, uživatel: zaregistruje uživatele s platební adresou a PINem.",
    "PM": "Platby, obchodník: zaregistruje obchodníka, který dostane token pro své přístroje.",
    "PV": "Platby, adresa: zabere klientovi další platební adresu.",
    "PR": "Platby, kdo to je: komu patří platební adresa, a co tam stojí částka.",
    "PP": "Platba: zaplatí na platební adresu, účet, nebo mobil s MMID.",
    "PY": "Platba kódem: zaplatí, co žádá naskenovaný kód.",
    "PS": "Platby, stav: co se stalo s platbou.",
    "PB": "Platby, zůstatek: kolik klient má.",
    "PN": "Platby, nový PIN: změní klientův PIN.",
    "PL": "Platby, limity: jedné platby a dne, a kolik ze dne zbývá.",
    "PF": "Platby, zmrazení: zastaví všechno na účtu, nebo to zase povolí.",
    "PW": "Platby, výběr: vydá hotovost u přístroje.",
    "PI": "Platby, vklad: vloží hotovost u přístroje.",
    "PK": "Platby, klíč: token, se kterým se den naslouchá.",
    "PE": "Platby, události: co se od té doby stalo s platbami; na další počká.",
    "PZ": "Platby, reklamace: žádá platbu zpět, svědčí, brání se, uzná to, nebo od toho upustí.",
    "PX": "Platby, vrácení: vrátí přijatou platbu, celou nebo část.",
    "PC": "Platby, žádost: požádá klienta o peníze.",
    "PA": "Platby, souhlas: zaplatí, oč někdo žádal.",
    "PD": "Platby, odmítnutí: odmítne žádost, nebo vezme vlastní zpět.",
    "PQ": "Platby, co čeká: žádosti, které čekají na klienta.",
    "PH": "Platby, inkaso: požádá klienta o svolení k opakovaným platbám.",
    "PT": "Platby, změna inkasa: požádá o jinou částku nebo jiný konec.",
    "PJ": "Platby, inkaso teď: řekne, na kolik je příští platba inkasa.",
    "PO": "Platby, odpověď na inkaso: souhlas, odmítnutí, přestávka, zrušení.",
    "PG": "Platby, kód: co říká obchodníkův kód ke skenování, podepsaný bankou.",
}
