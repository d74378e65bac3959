package main

import (
	"fmt"
	"net/http"

	"github.com/spf13/cobra"

	"github.com/stalker-asm/stalker/cmd/internal/client"
	"github.com/stalker-asm/stalker/cmd/internal/scan"
	"github.com/stalker-asm/stalker/pipeline"
)

func jobRevert() *cobra.Command {
	var f where
	c := &cobra.Command{
		Use: "revert NAME|ID", Short: "Make a copied job what its original is now", Args: cobra.ExactArgs(1),
		Long: "Make a copy of a built-in job, or of one from a git source, what the original is now, all but its name. What was changed in the copy is lost.",
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := f.must(c.Context())
			if err != nil {
				return err
			}
			j, err := jobOf(c.Context(), cl, args[0])
			if err != nil {
				return err
			}
			return revert(c, cl, "/jobs/"+j.ID, j.Name, j.Version)
		},
	}
	f.flags(c)
	return c
}

func ruleRevertCommand() *cobra.Command {
	var f where
	c := &cobra.Command{
		Use: "revert NAME|ID", Short: "Make a subscription what its source has", Args: cobra.ExactArgs(1),
		Long: "Give a copy of a built-in subscription, or of one from a git source, the document that the original has now; its name, project and whether it\n" +
			"is enabled stay. What was changed in the copy is lost. An original becomes enabled or disabled as its document says.",
		RunE: func(c *cobra.Command, args []string) error {
			cl, err := f.must(c.Context())
			if err != nil {
				return err
			}
			var page pipeline.Page[pipeline.Subscription]
			if err := cl.Do(c.Context(), http.MethodGet, "/subscriptions", nil, &page); err != nil {
				return err
			}
			s, err := subscriptionOf(page.Items, args[0])
			if err != nil {
				return err
			}
			return revert(c, cl, "/subscriptions/"+s.ID, s.Name, s.Version)
		},
	}
	f.flags(c)
	return c
}

// subscriptionOf finds a subscription by its id or its name, which several may have.
func subscriptionOf(list []pipeline.Subscription, name string) (pipeline.Subscription, error) {
	var found []pipeline.Subscription
	for i := range list {
		if list[i].ID == name {
			return list[i], nil
		}
		if list[i].Name == name {
			found = append(found, list[i])
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return pipeline.Subscription{}, fmt.Errorf("no subscription is named %q", name)
	default:
		return pipeline.Subscription{}, fmt.Errorf("%d subscriptions are named %q: say which by its id, such as %s", len(found), name, found[0].ID)
	}
}

// revert asks for it, and says whether anything changed.
func revert(c *cobra.Command, cl *client.Client, path, name string, version int64) error {
	var now struct {
		Version int64 `json:"version"`
	}
	if err := cl.Do(c.Context(), http.MethodPost, path+"/revert", nil, &now); err != nil {
		return err
	}
	text := "is as its source has it"
	if now.Version == version {
		text = "was as its source has it already"
	}
	_, err := fmt.Fprintf(c.OutOrStdout(), "%s %s\n", scan.Printable(name), text)
	return err
}
