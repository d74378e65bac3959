package chdb

import "testing"

func TestHasWord(t *testing.T) {
	for sql, want := range map[string]bool{
		"INSERT INTO t FROM INFILE 'x'":          true,
		"insert into t from infile 'x'":          true,
		"FROM/* */INFILE":                        true,
		"FROM -- x\nINFILE":                      true,
		"SELECT 'INFILE'":                        false,
		"SELECT `INFILE`, \"INFILE\"":            false,
		`SELECT 'it\'s INFILE'`:                  false,
		"SELECT 'it''s INFILE'":                  false,
		"SELECT 'x' INFILE":                      true,
		"SELECT $a$ INFILE $a$":                  false,
		"SELECT $a$ x $a$ INFILE":                true,
		"SELECT 1 -- INFILE":                     false,
		"SELECT 1 /* INFILE */":                  false,
		"SELECT 1 # INFILE":                      false,
		"SELECT MYINFILE, INFILE_2":              false,
		"SELECT 'open INFILE":                    false,
		"":                                       false,
		"$":                                      false,
		"SELECT 1 /* open INFILE":                false,
		"SELECT $1 INFILE":                       true,
		"SELECT * FROM infile.t WHERE x = 'y;z'": true,
	} {
		if got := hasWord(sql, "INFILE"); got != want {
			t.Errorf("%q: got %v", sql, got)
		}
	}
}

func FuzzHasWord(f *testing.F) {
	f.Add("SELECT 'a' FROM/**/INFILE $x$ y $x$ -- z")
	f.Fuzz(func(t *testing.T, sql string) {
		hasWord(sql, "INFILE") // must end, within the text
		if quoted := quoteText(sql); hasWord("SELECT "+quoted, "INFILE") {
			t.Errorf("%q leaks out of its quotes", quoted)
		}
	})
}
