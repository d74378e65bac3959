package chdb

import (
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Config says where the embedded engine keeps its data and what it may use.
type Config struct {
	// Library is the path of libchdb.so; empty means look for it (FindLibrary).
	Library string `yaml:"library"`
	// Dir is the directory for the engine's data; it belongs to one process.
	Dir string `yaml:"dir"`
	// Connections is how many statements run at once; more wait. 1..64.
	Connections int `yaml:"connections"`
	// MaxMemory is how many bytes the engine may use in total before statements
	// fail with a memory error; at least 256 MiB.
	MaxMemory int64 `yaml:"maxMemory"`
	// Threads is how many threads one statement may use; 0 means one per core.
	Threads int `yaml:"threads"`
}

// DefaultConfig is what suits a laptop. Dir is left to the caller.
func DefaultConfig() Config {
	return Config{Connections: 16, MaxMemory: 1 << 30}
}

// Validate returns every problem of c, joined.
func (c Config) Validate() error {
	var errs []error
	if c.Dir == "" {
		errs = append(errs, errors.New("dir: is required"))
	}
	if c.Connections < 1 || c.Connections > 64 {
		errs = append(errs, fmt.Errorf("connections: %d is not within 1..64", c.Connections))
	}
	if c.MaxMemory < 256<<20 {
		errs = append(errs, fmt.Errorf("maxMemory: %d is less than 256 MiB (%d)", c.MaxMemory, 256<<20))
	}
	if c.Threads < 0 {
		errs = append(errs, fmt.Errorf("threads: %d is negative", c.Threads))
	}
	return errors.Join(errs...)
}

// The engine's own configuration. Always passed explicitly: without it the engine
// would read a config.xml of the working directory. The caches are bounded far
// below the server's defaults (5 GiB for marks alone), and background work gets
// two threads, since the process shares its machine with scans.
const engineXML = `<clickhouse>
  <users_config>%s</users_config>
  <max_server_memory_usage>%d</max_server_memory_usage>
  <mark_cache_size>67108864</mark_cache_size>
  <uncompressed_cache_size>0</uncompressed_cache_size>
  <index_mark_cache_size>16777216</index_mark_cache_size>
  <mmap_cache_size>64</mmap_cache_size>
  <compiled_expression_cache_size>33554432</compiled_expression_cache_size>
  <background_pool_size>2</background_pool_size>
  <background_schedule_pool_size>4</background_schedule_pool_size>
  <background_common_pool_size>2</background_common_pool_size>
  <background_fetches_pool_size>1</background_fetches_pool_size>
  <background_move_pool_size>1</background_move_pool_size>
  <background_message_broker_schedule_pool_size>1</background_message_broker_schedule_pool_size>
  <background_distributed_schedule_pool_size>1</background_distributed_schedule_pool_size>
  <merge_tree>
    <number_of_free_entries_in_pool_to_execute_mutation>1</number_of_free_entries_in_pool_to_execute_mutation>
    <number_of_free_entries_in_pool_to_lower_max_size_of_merge>1</number_of_free_entries_in_pool_to_lower_max_size_of_merge>
    <number_of_free_entries_in_pool_to_execute_optimize_entire_partition>1</number_of_free_entries_in_pool_to_execute_optimize_entire_partition>
  </merge_tree>
</clickhouse>
`

// What the one user may do: read and write tables. Everything that reaches a
// file, another host or the server itself is not granted, so that a statement an
// attacker got to shape cannot reach them either.
const usersXML = `<clickhouse>
  <profiles><default>
    <async_insert>0</async_insert>
    <max_threads>%d</max_threads>
    <max_execution_time>0</max_execution_time>
  </default></profiles>
  <quotas><default/></quotas>
  <users><default>
    <password></password>
    <networks><ip>::/0</ip></networks>
    <profile>default</profile>
    <quota>default</quota>
    <grants>
      <query>GRANT SELECT, INSERT, ALTER, CREATE DATABASE, CREATE TABLE, CREATE VIEW, DROP, TRUNCATE, OPTIMIZE, SHOW, KILL QUERY ON *.*</query>
    </grants>
  </default></users>
</clickhouse>
`

// writeConfig writes the engine's two configuration files below dir and returns
// the path of the first.
func writeConfig(dir string, c Config) (string, error) {
	users := filepath.Join(dir, "users.xml")
	if err := os.WriteFile(users, fmt.Appendf(nil, usersXML, c.Threads), 0o600); err != nil {
		return "", fmt.Errorf("writing the engine's users: %w", err)
	}
	var esc strings.Builder
	if err := xml.EscapeText(&esc, []byte(users)); err != nil {
		return "", fmt.Errorf("writing the engine's configuration: %w", err)
	}
	path := filepath.Join(dir, "engine.xml")
	if err := os.WriteFile(path, fmt.Appendf(nil, engineXML, esc.String(), c.MaxMemory), 0o600); err != nil {
		return "", fmt.Errorf("writing the engine's configuration: %w", err)
	}
	return path, nil
}
