"""Registrable domains.

The public suffix list has some ten thousand rules and changes weekly; here is a
short list of the suffixes of two labels that scans meet most. A name under any
other suffix of several labels counts as registered one label too low (``a.b.example``
under an unlisted ``b.example`` gives ``b.example`` as well): one domain too many is found,
none is missed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from stalker_sdk.findings import DomainFinding

_SECOND_LEVEL = {
    "ac": "at il jp kr nz th uk za in id cn", "co": "at id il in jp ke kr nz th uk ve za",
    "com": "ar au bd br cn co cy ec eg gh gr hk kw lb mt mx my ng np pe ph pk pl pt py qa ro ru sa sg sv tr tw ua uy ve vn",
    "edu": "ar au br cn co eg hk mx my pe ph pk pl sa sg tr tw ua uy vn", "go": "id jp ke kr th",
    "gob": "ar cl ec es mx pe ve", "gov": "ar au br cn co eg gr hk il in my ng ph pk pl sa sg tr tw ua uk vn za",
    "gouv": "fr ci sn", "gv": "at", "gc": "ca", "ltd": "uk", "me": "uk ke", "mil": "br co id in kr pl tr", "ne": "jp ke kr",
    "net": "ar au br cn co eg hk il in my ng nz ph pk pl sa sg tr tw ua uk vn za", "nhs": "uk", "nom": "br co es",
    "or": "at id jp ke kr th", "org": "ar au br cn co eg hk il in mx my ng nz ph pk pl sa sg tr tw ua uk vn za",
    "plc": "uk", "police": "uk", "sch": "uk id", "asn": "au", "id": "au", "govt": "nz", "geek": "nz", "school": "nz",
    "firm": "in", "gen": "in tr", "ind": "in br", "web": "id za tr", "biz": "tr pl", "info": "pl tr", "bel": "tr",
    "priv": "at", "qc": "ca", "on": "ca", "bc": "ca",
}
SUFFIXES = frozenset(f"{first}.{top}" for first, tops in _SECOND_LEVEL.items() for top in tops.split())

_NAME = re.compile(r"(?<![a-z0-9_.-])(?:\*\.)?((?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9]))\.?(?![a-z0-9_-])")


def get_all_domains(domains: Iterable[str]) -> set[str]:
    """The registrable domain of every name in ``domains`` and all domains between.

    A leading ``*.``, a final dot, capitals and text around the name are tolerated.
    ``["*.asdf.example.com", "qwerty.co.uk."]`` gives example.com, asdf.example.com, qwerty.co.uk.
    """
    found: set[str] = set()
    for text in domains:
        if match := _NAME.search(text[:4096].lower()):
            found.update(_lineage(match[1]))
    return found


def _lineage(name: str) -> list[str]:
    labels = name.split(".")
    least = 3 if ".".join(labels[-2:]) in SUFFIXES else 2
    return [".".join(labels[i:]) for i in range(len(labels) - least + 1)] if len(name) <= 253 else []


def emit_all_domains(domains: Iterable[str]) -> None:
    """Publishes one HostnameFinding for each of ``get_all_domains``."""
    from stalker_sdk.session import log_finding

    log_finding(*(DomainFinding("HostnameFinding", name, type="HostnameFinding")
                  for name in sorted(get_all_domains(domains))))
