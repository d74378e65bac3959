package chdb

import "encoding/binary"

// helloBlock is the answer to the query with which clickhouse-go opens an HTTP
// connection, SELECT displayName(), version(), revision(), timezone(): a Native
// block of one row. The client reads this one block at a protocol revision of its
// own choice, which has a block header; by announcing revision 0 in it we make it
// read every later block as plain Native, which is what the engine writes.
func helloBlock(name, version, timezone string) []byte {
	// block info (field 1: not overflows, field 2: bucket -1, end), 4 columns, 1 row
	b := []byte{1, 0, 2, 0xff, 0xff, 0xff, 0xff, 0, 4, 1}
	text := func(s string) { b = append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	column := func(name, typ string) {
		text(name)
		text(typ)
		b = append(b, 0) // no custom serialization
	}
	column("displayName()", "String")
	text(name)
	column("version()", "String")
	text(version)
	column("revision()", "UInt32")
	b = binary.LittleEndian.AppendUint32(b, 0)
	column("timezone()", "String")
	text(timezone)
	return b
}

const helloQuery = "SELECT displayName(), version(), revision(), timezone()"
