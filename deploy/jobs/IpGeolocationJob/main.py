"""Says where an address is, from local databases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stalker_sdk import IpFinding, TextField, fail, log_finding, log_info, log_warning, params
from stalker_sdk.mmdb import Database, MMDBError

LABELS = {"continent": "Continent", "country": "Country", "countryCode": "Country code", "region": "Region", "city": "City", "postalCode": "Postal code",
          "latitude": "Latitude", "longitude": "Longitude", "accuracyKm": "Accuracy (km)", "timeZone": "Time zone", "asn": "AS number",
          "organisation": "Organisation", "source": "Source"}


def inside(record: Any, *path: str | int) -> Any:
    """A value inside a record, None when it is not there."""
    for step in path:
        if isinstance(record, dict) and isinstance(step, str):
            record = record.get(step)
        elif isinstance(record, list) and isinstance(step, int) and len(record) > step:
            record = record[step]
        else:
            return None
    return record if isinstance(record, (str, int, float)) else None


def facts(record: dict[str, Any]) -> dict[str, Any]:
    """What a record says, in our words; what it does not say is left out."""
    asn = inside(record, "autonomous_system_number")
    said = {
        "continent": inside(record, "continent", "names", "en"), "country": inside(record, "country", "names", "en"),
        "countryCode": inside(record, "country", "iso_code"), "region": inside(record, "subdivisions", 0, "names", "en"),
        "city": inside(record, "city", "names", "en"), "postalCode": inside(record, "postal", "code"),
        "latitude": inside(record, "location", "latitude"), "longitude": inside(record, "location", "longitude"),
        "accuracyKm": inside(record, "location", "accuracy_radius"), "timeZone": inside(record, "location", "time_zone"),
        "asn": f"AS{asn}" if asn else None, "organisation": inside(record, "autonomous_system_organization"),
    }
    return {key: value for key, value in said.items() if value not in (None, "")}


def files(places: list[str]) -> list[Path]:
    found: list[Path] = []
    for place in map(Path, places):
        found += sorted(place.glob("*.mmdb")) if place.is_dir() else [place] if place.is_file() else []
    return found


def main() -> None:
    ip, places = params.ip("targetIp"), params.strings("databases", ["/usr/share/GeoIP", "/var/lib/GeoIP", "/usr/local/share/GeoIP"])
    databases = files(places)
    if not databases:
        fail(f"there is no database in {', '.join(places)}: put a file in the MaxMind format there, or name one in databases")
    said: dict[str, Any] = {}
    sources, broken = [], 0
    for file in databases:
        try:
            with Database(file) as database:
                record = database.lookup(ip)
        except (OSError, MMDBError) as error:
            log_warning(f"{file}: {error}")
            broken += 1
            continue
        if record and (new := facts(record)):
            said = new | said
            sources.append(file.name)
    if broken == len(databases):
        fail("none of the databases can be read; see the warnings above")
    if not said:
        log_info(f"no database knows {ip}")
        return
    said["source"] = ",".join(sources)
    log_finding(IpFinding("IpGeolocationFinding", ip, "Geolocation", [TextField(key, LABELS[key], said[key]) for key in LABELS if key in said]))
    log_info(f"{ip}: " + ", ".join(str(said[k]) for k in ("city", "country", "asn", "organisation") if k in said))


if __name__ == "__main__":
    main()
