"""The encodings that text may come in: Python reads a file's first lines, and Java, in Spark, all of them."""

import codecs

# Those that Python and Java decode alike, by Python's name; Java's, where it has another, or means another by that one.
_JAVA = {
    "utf-16-le": "UTF-16LE",
    "utf-16-be": "UTF-16BE",
    "utf-32-le": "UTF-32LE",
    "utf-32-be": "UTF-32BE",
    "cp874": "x-windows-874",
    "cp932": "windows-31j",
    "cp949": "x-windows-949",
    "johab": "x-Johab",
    "iso8859-11": "x-iso-8859-11",
    "mac-roman": "x-MacRoman",
    "mac-latin2": "x-MacCentralEurope",
}
ENCODINGS = frozenset({
    *("utf-8", "utf-16", "utf-32", "ascii", "koi8-r", "koi8-u", "tis-620", "cp037", "cp500", "cp1140"),
    *("big5", "big5hkscs", "gb2312", "gbk", "gb18030", "euc_jp", "shift_jis"),
    *(f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15)),
    *(f"cp{page}" for page in (437, 737, 775, 850, 852, 855, 857, 858, 860, 861, 862, 863, 864, 865, 866, 869)),
    *(f"cp{page}" for page in range(1250, 1259)),
    *_JAVA,
})  # fmt: skip


def known_encoding(name: str) -> str:
    """An encoding by Python's name. Raises ValueError where Python and Java do not read it alike.

    >>> known_encoding("UTF_8_SIG"), known_encoding("latin-1"), known_encoding("cp949")
    ('utf-8', 'iso8859-1', 'cp949')
    >>> known_encoding("cp720")
    Traceback (most recent call last):
    ValueError: an encoding such as utf-8, utf-16-le, latin-1, cp1252, shift_jis or gbk
    """
    wanted = "an encoding such as utf-8, utf-16-le, latin-1, cp1252, shift_jis or gbk"
    try:
        found = codecs.lookup(name).name
    except LookupError:
        raise ValueError(wanted) from None
    # A mark before UTF-8 is no part of the text, whether it is said to be there or not.
    found = "utf-8" if found == "utf-8-sig" else found
    if found not in ENCODINGS:
        raise ValueError(wanted)
    return found


def java_name(encoding: str) -> str:
    """Java's name of one of ENCODINGS.

    >>> java_name("cp1252"), java_name("utf-16-le"), java_name("cp949")
    ('cp1252', 'UTF-16LE', 'x-windows-949')
    """
    return _JAVA.get(encoding, encoding)
