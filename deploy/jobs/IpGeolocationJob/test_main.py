from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

# the writer of databases that the reader's own tests have
spec = importlib.util.spec_from_file_location("mmdb_writer", Path(__file__).parents[2] / "sdk" / "tests" / "test_mmdb.py")
assert spec is not None and spec.loader is not None
writer = importlib.util.module_from_spec(spec)
spec.loader.exec_module(writer)

# records as GeoLite2 has them, shortened
CITY = {"192.0.2.0/24": {
    "city": {"geoname_id": 1, "names": {"de": "Genf", "en": "Geneva"}}, "continent": {"code": "EU", "names": {"en": "Europe"}},
    "country": {"iso_code": "CH", "names": {"en": "Switzerland"}}, "location": {"accuracy_radius": 20, "latitude": 46.2, "longitude": 6.14, "time_zone": "Europe/Zurich"},
    "postal": {"code": "1200"}, "subdivisions": [{"iso_code": "GE", "names": {"en": "Geneva"}}]}, "2001:db8::/32": {"country": {"iso_code": "FR"}}}
ASN = {"192.0.2.0/25": {"autonomous_system_number": 64496, "autonomous_system_organization": "Lab Networks"}}


def test_everything_that_is_known(run_job: Callable[..., Any], tmp_path: Path, told: Any) -> None:
    folder = tmp_path / "GeoIP"
    folder.mkdir()
    (folder / "City.mmdb").write_bytes(writer.build(CITY))
    (folder / "ASN.mmdb").write_bytes(writer.build(ASN, 28))
    (folder / "broken.mmdb").write_bytes(b"no database")
    done = run_job("IpGeolocationJob", targetIp="192.0.2.7", databases=[str(folder)])
    assert done.code == 0, done
    (finding,) = done.about("IpGeolocationFinding")
    assert (finding["type"], finding["ip"]) == ("CustomFinding", "192.0.2.7")
    assert told(finding) == {
        "continent": "Europe", "country": "Switzerland", "countryCode": "CH", "region": "Geneva", "city": "Geneva", "postalCode": "1200", "latitude": 46.2,
        "longitude": 6.14, "accuracyKm": 20, "timeZone": "Europe/Zurich", "asn": "AS64496", "organisation": "Lab Networks", "source": "ASN.mmdb,City.mmdb"}
    assert any("broken.mmdb" in line for line in done.logs)
    done = run_job("IpGeolocationJob", targetIp="2001:db8::1", databases=[str(folder / "City.mmdb")])
    assert told(done.findings[0]) == {"countryCode": "FR", "source": "City.mmdb"}
    done = run_job("IpGeolocationJob", targetIp="203.0.113.1", databases=[str(folder)])
    assert done.code == 0 and not done.findings and "no database knows" in done.logs[-1]


def test_without_a_database_that_is_the_reason(run_job: Callable[..., Any], tmp_path: Path) -> None:
    done = run_job("IpGeolocationJob", targetIp="192.0.2.7", databases=[str(tmp_path / "gone")])
    assert done.code == 1 and "there is no database in" in done.logs[-1]
    (tmp_path / "x.mmdb").write_bytes(b"no database")
    assert run_job("IpGeolocationJob", targetIp="192.0.2.7", databases=[str(tmp_path / "x.mmdb")]).code == 1
