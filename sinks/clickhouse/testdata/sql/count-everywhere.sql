SELECT count()
FROM domains FINAL
