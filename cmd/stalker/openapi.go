package main

import (
	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/api/openapi"
)

func openapiCommand() *cobra.Command {
	var asYAML bool
	c := &cobra.Command{
		Use: "openapi", Short: "Print the API's OpenAPI document, to make clients from", Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			doc, err := openapi.Load()
			if err != nil {
				return err
			}
			text := doc.JSON()
			if asYAML {
				text = doc.YAML()
			}
			_, err = c.OutOrStdout().Write(append(text, '\n'))
			return err
		},
	}
	c.Flags().BoolVar(&asYAML, "yaml", false, "as YAML instead of JSON")
	return c
}
