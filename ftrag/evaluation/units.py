"""Names of units, currencies, months and numbers as people write them, in lower case. Rows, no behaviour."""

from __future__ import annotations

Reading = tuple[str, float | str]  # dimension and amount in its base unit; dates and codes hold a string
# name -> readings (dimension, factor into the dimension's base unit). Two names are the same unit if a reading agrees.
Readings = tuple[tuple[str, float], ...]


def _rows(*rows: tuple[str, float, str]) -> dict[str, Readings]:
    return {name: ((dimension, factor),) for dimension, factor, names in rows for name in names.split("|")}


UNITS: dict[str, Readings] = {
    **_rows(
        ("second", 0.001, "ms|msec|millisecond|milliseconds"),
        ("second", 1, "s|sec|secs|second|seconds"),
        ("second", 60, "min|mins|minute|minutes"),
        ("second", 3600, "h|hr|hrs|hour|hours"),
        ("second", 86400, "d|day|days"),
        ("second", 604800, "wk|wks|week|weeks"),
        ("second", 1209600, "fortnight|fortnights"),
        ("month", 1, "month|months|mo|mos"),
        ("month", 12, "year|years|yr|yrs"),
        ("working day", 1, "working day|working days|business day|business days|workday|workdays"),
        ("percent", 1, "%|percent|per cent|pct"),
        ("percentage point", 1, "percentage point|percentage points|pp"),
        ("metre", 0.001, "mm|millimetre|millimetres|millimeter|millimeters"),
        ("metre", 0.01, "cm|centimetre|centimetres|centimeter|centimeters"),
        ("metre", 1, "m|metre|metres|meter|meters"),
        ("metre", 1000, "km|kilometre|kilometres|kilometer|kilometers"),
        ("foot", 1, "ft|foot|feet"),
        ("foot", 1 / 12, "inch|inches"),
        ("foot", 3, "yd|yard|yards"),
        ("foot", 5280, "mi|mile|miles"),
        ("gram", 0.001, "mg|milligram|milligrams"),
        ("gram", 1, "g|gram|grams|gramme|grammes"),
        ("gram", 1000, "kg|kgs|kilo|kilos|kilogram|kilograms|kilogramme|kilogrammes"),
        ("gram", 1e6, "t|tonne|tonnes"),
        ("ounce", 1, "oz|ounce|ounces"),
        ("ounce", 16, "lb|lbs"),
        ("litre", 0.001, "ml|millilitre|millilitres|milliliter|milliliters"),
        ("litre", 0.01, "cl|centilitre|centilitres|centiliter|centiliters"),
        ("litre", 1, "l|ltr|litre|litres|liter|liters"),
        ("square metre", 1, "m2|sqm|square metre|square metres|square meter|square meters"),
        ("cubic metre", 1, "m3|cubic metre|cubic metres|cubic meter|cubic meters"),
        ("km/h", 1, "km/h|kmh|kph|kilometres per hour|kilometers per hour|kilometres an hour|kilometers an hour"),
        ("mph", 1, "mph|miles per hour|miles an hour"),
        ("m/s", 1, "m/s|metres per second|meters per second"),
        ("knot", 1, "kn|kt|kts|knot|knots"),
        ("celsius", 1, "°c|degrees celsius|degree celsius|celsius"),
        ("fahrenheit", 1, "°f|degrees fahrenheit|degree fahrenheit|fahrenheit"),
        ("byte", 1, "byte|bytes"),
        ("byte", 1e3, "kb|kilobyte|kilobytes"),
        ("byte", 1e6, "mb|megabyte|megabytes"),
        ("byte", 1e9, "gb|gigabyte|gigabytes"),
        ("byte", 1e12, "tb|terabyte|terabytes"),
        ("byte", 1024, "kib"),
        ("byte", 1024**2, "mib"),
        ("byte", 1024**3, "gib"),
        ("watt", 1, "w|watt|watts"),
        ("watt", 1e3, "kw|kilowatt|kilowatts"),
        ("watt hour", 1, "wh|watt hour|watt hours"),
        ("watt hour", 1e3, "kwh|kilowatt hour|kilowatt hours"),
        ("volt", 1, "v|volt|volts"),
        ("ampere", 1, "amp|amps|ampere|amperes"),
        ("hertz", 1, "hz|hertz"),
        ("hertz", 1e3, "khz"),
        ("hertz", 1e6, "mhz"),
        ("hertz", 1e9, "ghz"),
        ("usd", 1, "dollar|dollars|buck|bucks|usd|us dollars|us dollar"),
        ("eur", 1, "euro|euros|eur|€"),
        ("gbp", 1, "gbp|quid|pound sterling|pounds sterling|£"),
        ("gbp", 0.01, "pence|penny"),
        ("jpy", 1, "jpy|yen|¥"),
        ("inr", 1, "inr|rupee|rupees|₹"),
        ("czk", 1, "czk|kč|koruna|korunas"),
        ("cad", 1, "cad|canadian dollars"),
        ("aud", 1, "aud|australian dollars|australian dollar"),
        ("chf", 1, "chf|swiss franc|swiss francs|francs|franc"),
        ("sek", 1, "sek"),
        ("nok", 1, "nok"),
        ("dkk", 1, "dkk"),
        ("pln", 1, "pln|zloty"),
        ("cny", 1, "cny|yuan|rmb"),
    ),
    # One word, two meanings: equal to either.
    "pound": (("gbp", 1), ("ounce", 16)),
    "pounds": (("gbp", 1), ("ounce", 16)),
    "cent": (("usd", 0.01), ("eur", 0.01)),
    "cents": (("usd", 0.01), ("eur", 0.01)),
    "¢": (("usd", 0.01), ("eur", 0.01)),
    "°": (("celsius", 1), ("fahrenheit", 1), ("degree", 1)),
    "degree": (("celsius", 1), ("fahrenheit", 1), ("degree", 1)),
    "degrees": (("celsius", 1), ("fahrenheit", 1), ("degree", 1)),
}
MONEY = frozenset(str.split("usd eur gbp jpy inr cad aud chf sek nok dkk pln cny czk"))
BEFORE = {  # currency signs and codes that stand before the amount -> currency
    "us$": "usd",
    "a$": "aud",
    "c$": "cad",
    "$": "usd",
    "€": "eur",
    "£": "gbp",
    "¥": "jpy",
    "₹": "inr",
    "rs": "inr",
    **{code: code for code in sorted(MONEY)},
}
MULTIPLIERS = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
MULTIPLIERS |= {"mn": 1e6, "mln": 1e6, "mio": 1e6, "bn": 1e9}
SHORT_MULTIPLIERS = {"k": 1e3, "m": 1e6, "b": 1e9}  # "m" is metres unless a currency stands before
MONTHS = {
    name: number
    for number, names in enumerate(
        str.split(
            "january|jan february|feb march|mar april|apr may june|jun july|jul august|aug september|sept|sep "
            "october|oct november|nov december|dec"
        ),
        start=1,
    )
    for name in names.split("|")
}
ONES = {
    name: number
    for number, name in enumerate(
        str.split(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
            "seventeen eighteen nineteen"
        )
    )
}
TENS = {
    name: 10 * number
    for number, name in enumerate(str.split("twenty thirty forty fifty sixty seventy eighty ninety"), start=2)
}
ORDINALS = {
    name: number
    for number, name in enumerate(
        str.split(
            "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
            "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
        ),
        start=1,
    )
}
PARTS = {  # names of a part -> how many make a whole
    "third": 3, "thirds": 3, "quarter": 4, "quarters": 4, "fourths": 4,
    **{name: number for number, part in enumerate(str.split("fifth sixth seventh eighth ninth tenth"), start=5)
       for name in (part, f"{part}s")},
}  # fmt: skip
