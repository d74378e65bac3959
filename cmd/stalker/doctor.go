package main

import (
	"encoding/json"
	"errors"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/doctor"
)

func doctorCommand() *cobra.Command {
	var s settings
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: "Look at everything the configuration names, and say what is wrong and how to mend it", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			cfg, err := s.load()
			if err != nil {
				return err
			}
			list := doctor.Examine(c.Context(), cfg)
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(list)
			} else {
				err = doctor.Table(c.OutOrStdout(), list)
			}
			if err == nil && doctor.Failed(list) {
				err = exit{1, errors.New("something keeps Stalker from working")}
			}
			return err
		},
	}
	s.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	return c
}
