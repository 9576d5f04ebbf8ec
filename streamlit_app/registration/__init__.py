"""The steps of registering a face, shown by `streamlit_app.views.register`."""
