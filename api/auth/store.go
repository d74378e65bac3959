package auth

import (
	"context"
	"time"
)

// Store keeps users and what they may do. Credentials are kept by their hash.
type Store interface {
	HasUsers(ctx context.Context) (bool, error)
	AddSetupCode(ctx context.Context, hash string, now, expires time.Time) error
	CheckSetupCode(ctx context.Context, hash string, now time.Time) error // CodeForbidden when it is none
	CreateFirstUser(ctx context.Context, u User) error                    // who joins the admins; setup codes end
	CreateUser(ctx context.Context, u User) error
	Users(ctx context.Context) ([]User, error)
	User(ctx context.Context, id string) (User, error)
	UserByEmail(ctx context.Context, email string) (User, error)
	UserBySubject(ctx context.Context, subject string) (User, error)
	UpdateUser(ctx context.Context, u User) error // refuses to leave no active admin
	DeleteUser(ctx context.Context, id string) error
	SetLogin(ctx context.Context, id string, failures int, lockedUntil, at time.Time) error
	UseCode(ctx context.Context, id string, step int64) (bool, error) // false when the step, or a later one, was used

	CreateSession(ctx context.Context, hash string, s Session) error
	SessionByHash(ctx context.Context, hash string, now time.Time) (Session, User, error)
	SeenSession(ctx context.Context, id string, at time.Time) error
	Sessions(ctx context.Context, userID string, now time.Time) ([]Session, error)
	DeleteSession(ctx context.Context, userID, id string) error // CodeNotFound when there is none
	DeleteSessions(ctx context.Context, userID, exceptID string) error

	CreateKey(ctx context.Context, hash string, k Key) error
	KeyByHash(ctx context.Context, hash string, now time.Time) (Key, User, error)
	UsedKey(ctx context.Context, id string, at time.Time) error
	Keys(ctx context.Context, userID string) ([]Key, error) // "" is everybody's
	DeleteKey(ctx context.Context, id string) error

	Groups(ctx context.Context) ([]Group, error)
	Group(ctx context.Context, id string) (Group, error)
	SaveGroup(ctx context.Context, g Group) error // version must be the stored one plus one
	DeleteGroup(ctx context.Context, id string) error
	SetMember(ctx context.Context, groupID, userID string, member bool) error // refuses to leave no active admin
	GroupsOf(ctx context.Context, userID string) ([]Group, error)
	Members(ctx context.Context, projectID string) ([]Member, error)
	MembersOf(ctx context.Context, userID string, groupIDs []string) ([]Member, error)
	SaveMember(ctx context.Context, m Member) error
	DeleteMember(ctx context.Context, projectID, kind, id string) error

	CreateLink(ctx context.Context, hash, userID string, expires time.Time) error // replaces the user's earlier ones
	TakeLink(ctx context.Context, hash string, now time.Time) (userID string, err error)

	Append(ctx context.Context, e Event) error
	Events(ctx context.Context, q EventQuery) ([]Event, error)
}

// Event is one line of the audit log.
type Event struct {
	Seq       int64     `json:"seq"`
	At        time.Time `json:"at"`
	ActorID   string    `json:"actorId"`
	Actor     string    `json:"actor"` // name or e-mail at that time
	Via       string    `json:"via"`   // session, api-key:<id>, operator, none
	Action    string    `json:"action"`
	Target    string    `json:"target,omitempty"` // what the path names
	ProjectID string    `json:"projectId,omitempty"`
	Status    int       `json:"status"`
	Address   string    `json:"address"`
	Detail    string    `json:"detail,omitempty"`
}

// EventQuery selects events, the newest first. Empty fields do not constrain.
type EventQuery struct {
	ActorID, Action, ProjectID, Text string
	Since, Until                     time.Time
	Before                           int64 // sequence number; 0 begins at the newest
	Limit                            int
}
