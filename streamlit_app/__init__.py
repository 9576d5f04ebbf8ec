"""What people see: the Streamlit app."""
