"""What holds for a kiosk's session whatever happens before the camera."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ray_backend.domain.kiosk.session import Session, Terms
from ray_backend.domain.kiosk.words import LivenessMode, Phase
from ray_backend.domain.model import DecisionKind
from tests.unit.domain.kiosk.film import MARGIN, RULES, THRESHOLD, Actor, embedding_of, frame

PEOPLE = ["ada", "bob", "eva"]
flaws = st.sampled_from([{}, {}, {}, {"sharpness": 5.0}, {"yaw_deg": 60.0}])
actors = st.builds(
    Actor,
    who=st.sampled_from(PEOPLE),
    size_px=st.sampled_from([30, 60, 100, 110, 160]),
    x=st.sampled_from([150, 300, 320, 450]),
    like=st.one_of(
        st.none(),
        st.lists(st.tuples(st.sampled_from(PEOPLE), st.floats(0, 1)), max_size=3).map(
            lambda like: tuple(sorted(like, key=lambda one: -one[1]))
        ),
    ),
    flaws=flaws,
    liveness=st.sampled_from([None, 0.1, 0.9]),
)
# How long one scene of the film lasts, in frames, and who is in it.
scenes = st.lists(st.tuples(st.integers(1, 30), st.lists(actors, max_size=2)), min_size=1, max_size=6)
gaps = st.sampled_from([1 / 15, 0.1, 0.2, 0.5])
modes = st.sampled_from(list(LivenessMode))


def play(film, gap_s, mode=LivenessMode.OFF):
    """What the session answered to each frame, and the frames."""
    session = Session(RULES, Terms(THRESHOLD, MARGIN, mode))
    frames, answers, at_s = [], [], 10.0
    for times, cast in film:
        for _ in range(times):
            at_s += gap_s
            frames.append(frame(at_s, *cast, wanted=session.wanted()))
            answers.append(session.observe(frames[-1]))
    return frames, answers


@settings(max_examples=150, deadline=None)
@given(scenes, gaps, modes)
def test_a_track_never_has_two_verdicts(film, gap_s, mode):
    _, answers = play(film, gap_s, mode)
    tracks = [verdict.track_id for _, verdict in answers if verdict is not None]
    assert len(set(tracks)) == len(tracks)


@settings(max_examples=150, deadline=None)
@given(scenes, gaps, modes)
def test_a_matched_person_is_the_nearest_one_in_enough_frames_since_the_last_verdict(film, gap_s, mode):
    frames, answers = play(film, gap_s, mode)
    named = []
    for shown, (_, verdict) in zip(frames, answers, strict=True):
        named += [face.candidates[0].person_id for face in shown.faces if face.candidates]
        if verdict is None:
            continue
        assert verdict.frames >= RULES.min_frames
        assert verdict.seconds >= RULES.match_s
        if verdict.decision.kind is DecisionKind.MATCH:
            assert named.count(verdict.decision.best.person_id) >= RULES.min_frames
        named = []


@settings(max_examples=150, deadline=None)
@given(scenes, gaps)
def test_a_verdicts_face_is_one_of_the_person_that_it_is_about(film, gap_s):
    """The votes of a track are of one face: nobody is recorded as the one before."""
    honest = [(times, [Actor(a.who, a.size_px, a.x, flaws=a.flaws) for a in cast]) for times, cast in film]
    _, answers = play(honest, gap_s)
    for _, verdict in answers:
        if verdict is not None and verdict.decision.kind is DecisionKind.MATCH:
            assert verdict.face.embedding @ embedding_of(verdict.decision.best.person_id) > 0.99


@settings(max_examples=100, deadline=None)
@given(scenes, gaps, modes)
def test_the_scene_is_one_that_a_screen_can_show(film, gap_s, mode):
    _, answers = play(film, gap_s, mode)
    for scene, verdict in answers:
        assert 0 <= scene.progress <= 1
        assert scene.waiting_s >= 0
        assert (scene.issue is not None) == (scene.phase is Phase.ADJUST)
        assert scene.move is None
        assert verdict is None or scene.phase is Phase.DECIDED


@settings(max_examples=100, deadline=None)
@given(scenes, gaps, modes)
def test_frames_that_come_twice_change_nothing(film, gap_s, mode):
    frames, answers = play(film, gap_s, mode)
    session = Session(RULES, Terms(THRESHOLD, MARGIN, mode))
    for shown, (scene, verdict) in zip(frames, answers, strict=True):
        again = session.observe(shown)
        assert again[0] == scene
        assert (again[1] is None) == (verdict is None)
        assert session.observe(shown) == (scene, None)


@settings(max_examples=100, deadline=None)
@given(scenes, gaps)
def test_the_order_of_equally_near_faces_in_a_frame_gives_nobody_a_second_verdict(film, gap_s):
    frames, _ = play(film, gap_s)
    session = Session(RULES, Terms(THRESHOLD, MARGIN))
    tracks = []
    for index, shown in enumerate(frames):
        faces = shown.faces[::-1] if index % 2 else shown.faces
        flipped = type(shown)(shown.at_s, shown.width, shown.height, faces)
        _, verdict = session.observe(flipped)
        tracks += [] if verdict is None else [verdict.track_id]
    assert len(set(tracks)) == len(tracks)
