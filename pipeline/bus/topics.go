package bus

// The topics. Names are public: users read them with their own consumers.
const (
	TopicFindings   = "stalker.findings"    // every finding, keyed by project and host or domain
	TopicJobs       = "stalker.jobs"        // job requests, keyed by execution id
	TopicExecutions = "stalker.executions"  // execution events, keyed by execution id, partitioned as jobs
	TopicLogs       = "stalker.logs"        // log lines, keyed by execution id
	TopicControl    = "stalker.control"     // projects, jobs, subscriptions; compacted, one partition
	TopicState      = "stalker.state"       // the matcher's state; compacted, partitioned as findings
	TopicDead       = "stalker.deadletters" // records nobody could handle, with the reason
)

// Consumer groups.
const (
	GroupProjector = "stalker.projector"
	GroupMatcher   = "stalker.matcher"
	GroupLauncher  = "stalker.launcher"
)
