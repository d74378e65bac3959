SELECT uniqExact(JSONExtractString(tupleElement(certificate, 'value'), 'fingerprint')), uniqExactIf(JSONExtractString(tupleElement(certificate, 'value'), 'fingerprint'), JSONExtractString(tupleElement(certificate, 'value'), 'notAfter') < {now:String}), uniqExactIf(JSONExtractString(tupleElement(certificate, 'value'), 'fingerprint'), JSONExtractString(tupleElement(certificate, 'value'), 'notAfter') >= {now:String} AND JSONExtractString(tupleElement(certificate, 'value'), 'notAfter') < {soon:String})
FROM websites FINAL
WHERE project_id = {project:String}
  AND last_seen > deleted_at
  AND looked_at <= last_seen
  AND tupleElement(certificate, 'value') != ''
  AND JSONExtractString(tupleElement(certificate, 'value'), 'notAfter') > '0001-01-02'
-- project = "p1"
-- now = "2026-11-25T12:00:00Z"
-- soon = "2026-12-25T12:00:00Z"
