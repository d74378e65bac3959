package kube

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/stalker-asm/stalker/pipeline"
	"github.com/stalker-asm/stalker/pipeline/jobtoken"
	"github.com/stalker-asm/stalker/sinks/launcher"
)

// Labels and annotations of Jobs, pods and Secrets.
const (
	labelManaged    = "app.kubernetes.io/managed-by"
	managedBy       = "stalker-launcher"
	labelName       = "app.kubernetes.io/name"
	labelExecution  = "stalker.dev/execution"
	labelProject    = "stalker.dev/project"
	noteJob         = "stalker.dev/job"
	noteAttempt     = "stalker.dev/attempt"
	containerName   = "job"
	unprivilegedUID = 65532
)

// Where a pod finds what.
const (
	dirIn      = "/stalker/in"
	dirSDK     = "/stalker/sdk"
	dirWork    = "/stalker/work"
	fileReport = "/dev/termination-log"
)

// Keys of an execution's Secret.
const (
	keyParams   = "params.json"
	keyToken    = "token"
	keyContext  = "context"
	keyCode     = "main.py"
	keyTemplate = "template.yaml"
	keyHandler  = "handler.py"
	argPrefix   = "arg."
)

// nameOf is the name of an execution's Job and Secret.
func nameOf(id string) string { return "stalker-" + strings.ToLower(id) }

func (r *Runner) meta(s *launcher.Spec) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: nameOf(s.Request.ID), Namespace: r.cfg.Namespace,
		Labels: map[string]string{
			labelManaged: managedBy, labelName: "stalker-execution",
			labelExecution: s.Request.ID, labelProject: s.Request.ProjectID,
		},
		Annotations: map[string]string{noteJob: s.Job.Name, noteAttempt: strconv.Itoa(s.Attempt)},
	}
}

// slack is what the Job may take longer than its pod, which knows its deadline
// itself: the Job's own is for a node that does not answer any more.
const slack = time.Minute

// job is the Job of an execution.
func (r *Runner) job(s *launcher.Spec) *batchv1.Job {
	m := r.meta(s)
	return &batchv1.Job{
		ObjectMeta: m,
		Spec: batchv1.JobSpec{
			BackoffLimit:            new(int32(0)), // another attempt is the launcher's decision
			ActiveDeadlineSeconds:   new(seconds(s.StartTimeout + s.Deadline + slack)),
			TTLSecondsAfterFinished: new(int32(seconds(r.cfg.KeepFinished))),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: m.Labels, Annotations: m.Annotations},
				Spec:       r.pod(s),
			},
		},
	}
}

func seconds(d time.Duration) int64 { return max(1, int64(d.Seconds())) }

func (r *Runner) pod(s *launcher.Spec) corev1.PodSpec {
	p := corev1.PodSpec{
		RestartPolicy:                 corev1.RestartPolicyNever,
		ActiveDeadlineSeconds:         new(seconds(s.Deadline)),
		TerminationGracePeriodSeconds: new(seconds(r.cfg.Grace)),
		AutomountServiceAccountToken:  new(false),
		EnableServiceLinks:            new(false),
		NodeSelector:                  r.cfg.NodeSelector,
		SecurityContext:               podSecurity(s.Job.RawSockets),
		Containers:                    []corev1.Container{r.container(s)},
		Volumes:                       r.volumes(s),
		Tolerations: []corev1.Toleration{ // a node that is away for longer is lost
			{Key: corev1.TaintNodeNotReady, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(120))},
			{Key: corev1.TaintNodeUnreachable, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoExecute, TolerationSeconds: new(int64(120))},
		},
	}
	if r.cfg.RuntimeClass != "" {
		p.RuntimeClassName = new(r.cfg.RuntimeClass)
	}
	p.PriorityClassName = r.cfg.AutomationClass
	if s.Request.Priority <= pipeline.PriorityPerson {
		p.PriorityClassName = r.cfg.PersonClass
	}
	for _, name := range r.cfg.PullSecrets {
		p.ImagePullSecrets = append(p.ImagePullSecrets, corev1.LocalObjectReference{Name: name})
	}
	return p
}

// podSecurity is what Pod Security calls restricted; raw sockets need root, which
// has no other capability then.
func podSecurity(raw bool) *corev1.PodSecurityContext {
	c := &corev1.PodSecurityContext{
		RunAsNonRoot: new(true), RunAsUser: new(int64(unprivilegedUID)), RunAsGroup: new(int64(unprivilegedUID)), FSGroup: new(int64(unprivilegedUID)),
		SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
	}
	if raw {
		c.RunAsNonRoot, c.RunAsUser = new(false), new(int64(0))
	}
	return c
}

func containerSecurity(raw bool) *corev1.SecurityContext {
	c := &corev1.SecurityContext{
		AllowPrivilegeEscalation: new(false), Privileged: new(false), ReadOnlyRootFilesystem: new(true),
		Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
	}
	if raw {
		c.Capabilities.Add = []corev1.Capability{"NET_RAW"}
	}
	return c
}

func (r *Runner) container(s *launcher.Spec) corev1.Container {
	_, size := r.size(&s.Job)
	amount := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(size.CPU), corev1.ResourceMemory: resource.MustParse(size.Memory)}
	c := corev1.Container{
		Name: containerName, Image: r.cfg.image(&s.Job), ImagePullPolicy: corev1.PullPolicy(r.cfg.PullPolicy),
		Command: command(&s.Job), WorkingDir: dirWork, Env: r.environment(s),
		Resources:              corev1.ResourceRequirements{Requests: amount, Limits: amount},
		SecurityContext:        containerSecurity(s.Job.RawSockets),
		TerminationMessagePath: fileReport, TerminationMessagePolicy: corev1.TerminationMessageReadFile,
		VolumeMounts: []corev1.VolumeMount{
			{Name: "in", MountPath: dirIn, ReadOnly: true},
			{Name: "work", MountPath: dirWork},
			{Name: "work", MountPath: "/tmp", SubPath: "tmp"},
		},
	}
	if s.Job.Type == pipeline.JobContainer {
		c.WorkingDir = "" // the image's own
	} else {
		c.VolumeMounts = append(c.VolumeMounts, corev1.VolumeMount{Name: "sdk", MountPath: dirSDK, ReadOnly: true})
	}
	return c
}

func command(j *pipeline.Job) []string {
	switch j.Type {
	case pipeline.JobContainer:
		return j.Command
	case pipeline.JobNuclei:
		return []string{"python3", "-m", "stalker_sdk.nuclei", dirIn + "/" + keyTemplate}
	default:
		return []string{"python3", "-m", "stalker_sdk.run", dirIn + "/" + keyCode}
	}
}

func (r *Runner) volumes(s *launcher.Spec) []corev1.Volume {
	readable := new(int32(0o440))
	scratch := resource.MustParse(r.cfg.Scratch)
	list := []corev1.Volume{
		{Name: "in", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{
			SecretName: nameOf(s.Request.ID), DefaultMode: readable, Items: files(&s.Job),
		}}},
		{Name: "work", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{SizeLimit: &scratch}}},
	}
	if s.Job.Type == pipeline.JobContainer {
		return list
	}
	return append(list, corev1.Volume{Name: "sdk", VolumeSource: corev1.VolumeSource{ConfigMap: &corev1.ConfigMapVolumeSource{
		LocalObjectReference: corev1.LocalObjectReference{Name: r.sdk.Name}, Items: sdkItems(r.sdk),
	}}})
}

// files are the parts of the Secret that are mounted.
func files(j *pipeline.Job) []corev1.KeyToPath {
	keys := []string{keyParams}
	switch j.Type {
	case pipeline.JobContainer:
	case pipeline.JobNuclei:
		keys = append(keys, keyTemplate)
		if j.Handler != "" {
			keys = append(keys, keyHandler)
		}
	default:
		keys = append(keys, keyCode)
	}
	items := make([]corev1.KeyToPath, len(keys))
	for i, k := range keys {
		items[i] = corev1.KeyToPath{Key: k, Path: k}
	}
	return items
}

// environment holds no value that is the execution's own: those come from its Secret.
func (r *Runner) environment(s *launcher.Spec) []corev1.EnvVar {
	env := []corev1.EnvVar{
		{Name: "HOME", Value: dirWork},
		{Name: "TMPDIR", Value: "/tmp"},
		{Name: "STALKER_GATEWAY", Value: r.gateway},
		{Name: "STALKER_EXECUTION", Value: s.Request.ID},
		{Name: "STALKER_PROJECT", Value: s.Request.ProjectID},
		{Name: "STALKER_RESOLVERS", Value: strings.Join(s.Project.Resolvers, ",")},
		{Name: "STALKER_PARAMS_FILE", Value: dirIn + "/" + keyParams},
		{Name: "STALKER_SECRET_PARAMS", Value: strings.Join(s.Secret, ",")},
		{Name: "STALKER_TERMINATION_LOG", Value: fileReport},
		fromSecret("STALKER_TOKEN", s.Request.ID, keyToken),
	}
	if s.Trace != "" {
		env = append(env, corev1.EnvVar{Name: "TRACEPARENT", Value: s.Trace})
	}
	if s.Job.Type == pipeline.JobContainer { // an image made for the reference speaks its contract to the gateway
		env = append(env, fromSecret("RedKiteContext", s.Request.ID, keyContext), corev1.EnvVar{Name: "RedKiteOrchestratorUrl", Value: r.gateway})
	} else {
		env = append(env, corev1.EnvVar{Name: "PYTHONPATH", Value: dirSDK}, corev1.EnvVar{Name: "PYTHONUNBUFFERED", Value: "1"},
			corev1.EnvVar{Name: "PYTHONDONTWRITEBYTECODE", Value: "1"}, corev1.EnvVar{Name: "PYTHONIOENCODING", Value: "utf-8:replace"})
	}
	if s.Job.Type == pipeline.JobNuclei && s.Job.Handler != "" {
		env = append(env, corev1.EnvVar{Name: "STALKER_NUCLEI_HANDLER", Value: dirIn + "/" + keyHandler})
	}
	for _, name := range slices.Sorted(maps.Keys(s.Arguments)) {
		if _, short := launcher.EnvValue(s.Arguments[name]); short {
			env = append(env, fromSecret(name, s.Request.ID, argPrefix+name))
		}
	}
	return env
}

func fromSecret(name, id, key string) corev1.EnvVar {
	return corev1.EnvVar{Name: name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
		LocalObjectReference: corev1.LocalObjectReference{Name: nameOf(id)}, Key: key,
	}}}
}

// secret is what an execution gets to see; it goes when the Job goes.
func (r *Runner) secret(s *launcher.Spec, owner *batchv1.Job) (*corev1.Secret, error) {
	params, err := json.Marshal(s.Arguments)
	if err != nil {
		return nil, fmt.Errorf("writing parameters: %w", err)
	}
	data := map[string][]byte{keyParams: params, keyToken: []byte(s.Token)}
	switch s.Job.Type {
	case pipeline.JobContainer:
		data[keyContext] = []byte(jobtoken.ReferenceContext(s.Request.ID, s.Request.ProjectID, s.Token))
	case pipeline.JobNuclei:
		data[keyTemplate], data[keyHandler] = []byte(s.Job.Code), []byte(s.Job.Handler)
	default:
		data[keyCode] = []byte(s.Job.Code)
	}
	for name, raw := range s.Arguments {
		if text, short := launcher.EnvValue(raw); short {
			data[argPrefix+name] = []byte(text)
		}
	}
	m := r.meta(s)
	m.OwnerReferences = []metav1.OwnerReference{{APIVersion: "batch/v1", Kind: "Job", Name: owner.Name, UID: owner.UID}}
	return &corev1.Secret{ObjectMeta: m, Immutable: new(true), Type: corev1.SecretTypeOpaque, Data: data}, nil
}

// maxSecret is how large a Kubernetes Secret may be.
const maxSecret = corev1.MaxSecretSize

func sizeOf(s *corev1.Secret) int {
	n := 0
	for k, v := range s.Data {
		n += len(k) + len(v)
	}
	return n
}

// sdkMap is the SDK as a ConfigMap, named after its content. Keys may not contain
// slashes, so that they are numbers and the paths stand in an annotation.
func sdkMap(sdk fs.FS) (*corev1.ConfigMap, error) {
	data, paths, h := map[string]string{}, []string(nil), sha256.New()
	err := fs.WalkDir(sdk, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(sdk, p)
		if err != nil {
			return err
		}
		data[sdkKey(len(paths))] = string(text)
		paths = append(paths, p)
		fmt.Fprintf(h, "%s %d\n%s", p, len(text), text)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the SDK: %w", err)
	}
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: "stalker-sdk-" + hex.EncodeToString(h.Sum(nil))[:16], Labels: map[string]string{labelManaged: managedBy},
			Annotations: map[string]string{noteSDK: strings.Join(paths, "\n")},
		},
		Immutable: new(true), Data: data,
	}, nil
}

const noteSDK = "stalker.dev/paths"

func sdkKey(i int) string { return fmt.Sprintf("f%03d", i) }

func sdkItems(m *corev1.ConfigMap) []corev1.KeyToPath {
	paths := strings.Split(m.Annotations[noteSDK], "\n")
	items := make([]corev1.KeyToPath, len(paths))
	for i, p := range paths {
		items[i] = corev1.KeyToPath{Key: sdkKey(i), Path: p}
	}
	return items
}
