package pipeline

import "time"

// Notification tells somebody outside what became of resources, or what was found.
type Notification struct {
	ID        string `json:"id"`
	Name      string `json:"name"`
	ProjectID string `json:"projectId,omitempty"` // "" means every project
	Enabled   bool   `json:"enabled"`
	Version   int64  `json:"version"` // grows with every change

	Source NotificationSource `json:"source"`
	Kind   Kind               `json:"kind,omitempty"` // changes: of resources of this kind only; "" means any
	What   []What             `json:"what,omitempty"` // changes: these only; none means any
	Query  string             `json:"q,omitempty"`    // a filter in the language of pipeline/filter, of resources of the kind, or of findings

	Channel Channel       `json:"channel"`
	Digest  time.Duration `json:"digest"` // what happens within this time is told together; 0 tells it at once
	Quiet   *Quiet        `json:"quiet,omitempty"`

	Sealed []byte `json:"sealed,omitempty"` // ChannelSecret, closed; never leaves the control plane
}

// NotificationSource is what a notification is about.
type NotificationSource string

// The sources of notifications.
const (
	NotifyChanges  NotificationSource = "changes"  // the history of resources
	NotifyFindings NotificationSource = "findings" // what was said
)

// ChannelType is how somebody is told.
type ChannelType string

// The channels. All but mail are an address to which JSON is posted.
const (
	ChannelWebhook  ChannelType = "webhook"
	ChannelSlack    ChannelType = "slack"
	ChannelDiscord  ChannelType = "discord"
	ChannelTeams    ChannelType = "teams"
	ChannelTelegram ChannelType = "telegram"
	ChannelEmail    ChannelType = "email"
)

// ChannelTypes lists the channels.
func ChannelTypes() []ChannelType {
	return []ChannelType{ChannelWebhook, ChannelSlack, ChannelDiscord, ChannelTeams, ChannelTelegram, ChannelEmail}
}

// Channel is who is told, and how, as far as everybody who sees the notification may
// know it.
type Channel struct {
	Type ChannelType `json:"type"`
	Host string      `json:"host,omitempty"` // of the address, which itself is a secret
	To   []string    `json:"to,omitempty"`   // e-mail
	Chat string      `json:"chat,omitempty"` // telegram
}

// ChannelSecret is the rest: addresses of chat systems let who knows them write there.
type ChannelSecret struct {
	URL    string `json:"url"`
	Secret string `json:"secret,omitempty"` // with which webhooks are signed
}

// Quiet is a time of day at which nobody is told anything; what happened is told
// afterwards. It may go over midnight.
type Quiet struct {
	From string `json:"from"` // 22:00
	To   string `json:"to"`   // 07:30
	Zone string `json:"zone"` // Europe/Paris; "" is UTC
}

// DeliveryState is where a message is on its way.
type DeliveryState string

// The states of messages.
const (
	DeliveryWaiting   DeliveryState = "waiting" // is being sent, or is tried again later
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed" // was given up
)

// Delivery is a message on its way, and afterwards its line in the log.
type Delivery struct {
	ID             string        `json:"id"` // the receiver sees it too: the same message has the same
	NotificationID string        `json:"notificationId"`
	ProjectID      string        `json:"projectId"`
	CreatedAt      time.Time     `json:"createdAt"`
	State          DeliveryState `json:"state"`
	Events         int           `json:"events"`
	Attempts       int           `json:"attempts"`
	DueAt          time.Time     `json:"dueAt,omitzero"` // when it is tried next
	DoneAt         time.Time     `json:"doneAt,omitzero"`
	Status         int           `json:"status,omitempty"` // what the receiver answered last
	Error          string        `json:"error,omitempty"`  // why the last attempt failed
	Body           []byte        `json:"-"`                // what is told, as JSON
}
