package rule

import (
	"encoding/json"
	"strings"
)

// Schema returns the JSON Schema (draft 2020-12) of a subscription, for editors. It
// knows the shape and the words; what needs more than that, Check finds.
func Schema() []byte {
	type m = map[string]any
	text := func(about string) m { return m{"type": "string", "minLength": 1, "description": about} }
	number := func(least int, about string) m { return m{"type": "integer", "minimum": least, "description": about} }
	operand := m{"description": "text (variables as ${ip}), a number, a boolean or a list of these", "type": []string{"string", "number", "boolean", "array"}}
	props := m{
		"name":           text("what people call it"),
		"triggerType":    m{"enum": triggers, "default": Event, "description": "a finding, the time, or something that is not known"},
		"findings":       m{"type": "array", "minItems": 1, "maxItems": MaxFindingKeys, "items": m{"type": "string", "minLength": 1, "maxLength": MaxFindingKey}, "description": "finding keys it reacts to; * stands for any text"},
		"cooldown":       m{"type": "integer", "minimum": 0, "maximum": int64(MaxCooldown.Seconds()), "description": "seconds before it may fire again for the same resource"},
		"discriminator":  m{"type": []string{"string", "null"}, "description": "cooldowns are kept per value of this"},
		"job":            m{"type": "object", "additionalProperties": false, "required": []string{"name"}, "properties": m{"name": text("name of the job"), "parameters": m{"$ref": "#/$defs/parameters"}}},
		"jobName":        text("name of the job (form of the API)"),
		"jobParameters":  m{"$ref": "#/$defs/parameters"},
		"conditions":     m{"anyOf": []m{{"$ref": "#/$defs/conditions"}, {"type": "null"}}},
		"isEnabled":      m{"type": []string{"boolean", "null"}},
		"projectId":      m{"type": []string{"string", "null"}, "pattern": "^[0-9a-f]{24}$"},
		"cronExpression": text("5 fields, 6 with seconds in front, or @daily, @every 6h, …"),
		"timeZone":       text("IANA name, such as Europe/Berlin; default UTC"),
		"missed":         m{"enum": []string{MissedOnce, MissedSkip}, "default": MissedOnce, "description": "what becomes of ticks nobody was there for"},
		"overlap":        m{"type": "boolean", "default": false, "description": "may start while jobs of its last tick still run"},
		"input":          m{"enum": Inputs(), "description": "what to walk through"},
		"filter":         text("search text that chooses among the input"),
		"batch":          m{"type": "object", "additionalProperties": false, "required": []string{"enabled"}, "properties": m{"enabled": m{"type": "boolean"}, "size": m{"type": []string{"integer", "null"}, "minimum": 1}}},
		"expect":         m{"type": "object", "additionalProperties": false, "required": []string{"finding", "maxAge"}, "properties": m{"finding": text("the finding key each resource should have"), "maxAge": number(60, "seconds")}},
	}
	job := m{"oneOf": []m{{"required": []string{"job"}}, {"required": []string{"jobName"}}}}
	s := m{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Stalker subscription", "type": "object", "properties": props,
		"required": []string{"name"}, "additionalProperties": false,
		"allOf": []m{
			job,
			{"if": m{"properties": m{"triggerType": m{"const": Event}}}, "then": m{"required": []string{"findings", "cooldown"}}},
			{"if": trigger(Cron), "then": m{"required": []string{"cronExpression"}}},
			{"if": trigger(Reconcile), "then": m{"required": []string{"input", "expect"}}},
		},
		"$defs": m{
			"parameters": m{"type": []string{"array", "null"}, "items": m{"type": "object", "additionalProperties": false, "required": []string{"name", "value"}, "properties": m{
				"name": m{"type": "string", "pattern": parameterName.String()}, "value": m{"not": m{"type": "null"}},
			}}},
			"conditions": m{"type": "array", "maxItems": MaxConditions, "items": m{"oneOf": []m{
				{"type": "object", "additionalProperties": false, "required": []string{"and"}, "properties": m{"and": m{"$ref": "#/$defs/conditions"}}},
				{"type": "object", "additionalProperties": false, "required": []string{"or"}, "properties": m{"or": m{"$ref": "#/$defs/conditions"}}},
				{"type": "object", "additionalProperties": false, "required": []string{"lhs", "operator"}, "properties": m{
					"lhs": operand, "rhs": operand,
					"operator": m{"type": "string", "pattern": "^(not_|or_)*(" + strings.Join(Operators(), "|") + ")(_i)?$", "examples": Operators()},
				}},
			}}},
		},
	}
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // it is made of texts, numbers and lists of them
	}
	return append(b, '\n')
}

func trigger(t Trigger) map[string]any {
	return map[string]any{"properties": map[string]any{"triggerType": map[string]any{"const": t}}, "required": []string{"triggerType"}}
}
