package projector

import (
	"math"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/record"
	"github.com/stalker-asm/stalker/sinks/rows"
)

// storedFinding is the finding as a row.
func storedFinding(s *said) (rows.Finding, error) {
	r := rows.Finding{
		ID: s.ID, ProjectID: s.ProjectID, CorrelationKey: s.CorrelationKey, At: s.at, Source: string(s.Source), ExecutionID: s.ExecutionID,
		Job: s.JobName, UserID: s.UserID, RootID: s.RootID, Depth: uint16(clamp(s.Depth, 0, math.MaxUint16)), Type: string(s.Type),
		Key: s.Key, Name: s.Name, Tag: s.Tag, Domain: s.Domain, IP: s.IP, Mask: -1, Port: uint16(clamp(s.Port, 0, math.MaxUint16)),
		Protocol: string(s.Protocol), Path: s.Path, SSL: -1,
	}
	if s.Mask != nil {
		r.Mask = int16(clamp(*s.Mask, 0, 128))
	}
	if s.SSL != nil {
		r.SSL = 0
		if *s.SSL {
			r.SSL = 1
		}
	}
	var err error
	r.Fields, r.Images, err = fields(s.Fields)
	r.Said = rows.Words(r.Name, s.Fields)
	return r, err
}

// fields are the dynamic fields as JSON, and the data of images apart: it is
// large, and lists do not show it.
func fields(in []pipeline.Field) (body string, images []string, err error) {
	if len(in) == 0 {
		return "", nil, nil
	}
	out := in
	for i, x := range in {
		if x.Type != pipeline.ImageField {
			continue
		}
		if len(images) == 0 { // the finding is not ours to change
			out = append([]pipeline.Field(nil), in...)
		}
		images = append(images, x.Text())
		out[i].Data = nil
	}
	b, err := record.EncodeFields(out)
	if err != nil {
		return "", nil, pipeline.Errorf(pipeline.CodeInvalid, "encoding the fields: %w", err)
	}
	return string(b), images, nil
}
