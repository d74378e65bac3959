// Package pipeline is the vocabulary of Stalker: findings, resources, jobs,
// executions, projects, and the keys and ids that tie them together.
//
// It imports the standard library only, holds no state and does no I/O, so every
// other package may depend on it. What the words mean is in README.md beside
// this file; the wire form of each type is in pipeline/record.
package pipeline
