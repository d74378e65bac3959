package userql

import "strings"

// set is the words of a text, by their lower case.
func set(words string) map[string]string {
	m := map[string]string{}
	for w := range strings.FieldsSeq(words) {
		m[strings.ToLower(w)] = w
	}
	return m
}

// keywords are written as they are. What could name something outside of the views is
// not among them (SETTINGS, FORMAT, INTO, EXPLAIN, VALUES, COLUMNS, APPLY, FILL, …):
// such a word becomes a name like any other, which nothing has.
var keywords = set(`SELECT FROM WHERE GROUP BY HAVING QUALIFY ORDER ASC DESC NULLS FIRST LAST LIMIT OFFSET DISTINCT AS ON USING
JOIN INNER LEFT RIGHT FULL OUTER CROSS SEMI ANTI ANY ALL ARRAY UNION EXCEPT INTERSECT AND OR NOT IN LIKE ILIKE IS NULL
BETWEEN CASE WHEN THEN ELSE END WITH EXISTS TRUE FALSE INTERVAL SECOND MINUTE HOUR DAY WEEK MONTH QUARTER YEAR
OVER PARTITION ROWS RANGE PRECEDING FOLLOWING UNBOUNDED CURRENT ROW TOTALS ROLLUP CUBE TIES WINDOW`)

// functions are those that may be called. Each looks at its arguments and at nothing
// else: no table, dictionary, file, host, setting or user. None gives an error that
// depends on a value (hence no toUInt8, intDiv or modulo): whether there is an error
// would tell about rows that the engine looked at before it left them out. None takes
// the name of another function as text. None waits.
var functions = set(`count countIf sum sumIf avg avgIf min minIf max maxIf any anyIf anyLast argMin argMinIf argMax argMaxIf uniq uniqIf uniqExact uniqExactIf
groupArray groupUniqArray quantile quantileIf quantileExact quantiles median medianExact stddevPop varPop topK
row_number rank dense_rank lagInFrame leadInFrame first_value last_value
if multiIf coalesce ifNull nullIf isNull isNotNull assumeNotNull greatest least
length empty notEmpty lower upper lowerUTF8 upperUTF8 reverse concat substring substringUTF8 trim trimLeft trimRight
startsWith endsWith position positionCaseInsensitive replaceOne replaceAll splitByChar arrayStringConcat
domain domainWithoutWWW topLevelDomain cutToFirstSignificantSubdomain protocol path extractURLParameter
toString toInt64OrNull toInt64OrZero toUInt64OrNull toUInt64OrZero toFloat64OrNull toFloat64OrZero toIPv4OrNull toIPv6OrNull isIPv4String isIPv6String
toDateTimeOrNull parseDateTimeBestEffortOrNull now today yesterday toYear toMonth toDayOfMonth toDayOfWeek toHour toMinute toYYYYMM toYYYYMMDD
toStartOfMinute toStartOfFiveMinutes toStartOfHour toStartOfDay toStartOfWeek toStartOfMonth toStartOfQuarter toStartOfYear toUnixTimestamp dateDiff age
abs round floor ceil sqrt log log2 log10 exp sign
has hasAny hasAll indexOf arrayJoin arraySort arrayReverseSort arrayDistinct arrayUniq arrayMap arrayFilter arrayExists arrayAll arrayCount arrayConcat arraySlice arrayElement
array tuple tupleElement map mapKeys mapValues
JSONHas JSONLength JSONType JSONExtractString JSONExtractInt JSONExtractUInt JSONExtractFloat JSONExtractBool JSONExtractRaw JSONExtractArrayRaw JSONExtractKeys
cityHash64 sipHash64 bitAnd bitOr bitXor`)
